/** Measures one comparison of two equal nodes with many records: bytes, time, and CPU time of each node. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { checksumOf } from '../src/node/store/columns.ts'
import { openDataDirectory } from '../src/node/store/data-directory.ts'
import { EMPTY_RECORD } from '../src/register/acceptor.ts'
import { ABSENT, successor } from '../src/register/state.ts'
import { encodeDigestAnswer, encodeDigestRequest } from '../src/rpc/digest-codec.ts'
import { connectGrpc } from '../src/rpc/grpc-transport.ts'
import type { Membership } from '../src/rpc/messages.ts'
import { startNodeProcess } from '../src/testing/node-process.ts'
import { lookAtDigests } from '../src/upkeep/repair/digest-look.ts'
import { cpuTimeUs } from './cpu-time.ts'

const NODE_IDS = ['one', 'two']
const RECORDS_PER_TRANSACTION = 10_000
const LOOKS = 200

export async function compareEqualNodes(recordCount: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-compare-'))
  const dataDirs = NODE_IDS.map((nodeId) => join(directory, nodeId))
  fill(dataDirs[0]!, recordCount)
  await cp(dataDirs[0]!, dataDirs[1]!, { recursive: true })
  for (const [index, dataDir] of dataDirs.entries()) rename(dataDir, NODE_IDS[index]!)
  const nodes = dataDirs.map((dataDir) => startNodeProcess(dataDir))
  const transports = await Promise.all(nodes.map(async ({ listening }) => connectGrpc(await listening)))
  try {
    await measure(
      transports,
      nodes.map(({ child }) => child.pid!),
      recordCount,
    )
  } finally {
    for (const transport of transports) transport.close()
    for (const { child } of nodes) child.kill()
    await Promise.all(nodes.map(({ ended }) => ended))
    await rm(directory, { recursive: true })
  }
}

async function measure(
  transports: readonly ReturnType<typeof connectGrpc>[],
  pids: readonly number[],
  recordCount: number,
): Promise<void> {
  const link = { isReachable: true, isSuspect: false, send: () => false }
  const members = transports.map((transport, index) => ({ nodeId: NODE_IDS[index]!, link, transport }))
  const client = { settle: () => Promise.reject(), judge: () => undefined }
  const target = { clusterId: 'compared', epoch: 1, members, client }
  const look = async () => {
    const seen = await lookAtDigests(target, Math.random)
    if (seen?.leaves.size !== 0) throw new Error('the nodes are not equal')
  }
  await look()
  const cpuBefore = pids.map(cpuTimeUs)
  const startMs = performance.now()
  for (let count = 0; count < LOOKS; count += 1) await look()
  const timeMs = (performance.now() - startMs) / LOOKS
  const cpuMs = pids.map((pid, index) => (cpuTimeUs(pid) - cpuBefore[index]!) / 1_000 / LOOKS)
  const request = { clusterId: 'compared', epoch: 1, nodeId: NODE_IDS[0]!, branches: [] }
  const answer = await transports[0]!.digest(request, 1_000)
  const bytes = encodeDigestRequest(request).length + encodeDigestAnswer(answer).length
  console.log(
    `Two equal nodes with ${recordCount} groups are compared with ${bytes} bytes from and to each, in ${timeMs.toFixed(2)} ms, ` +
      `of which ${cpuMs.map((ms) => ms.toFixed(2)).join(' and ')} ms CPU in the nodes (mean of ${LOOKS}).`,
  )
}

/** Makes a node's database of groups that were created at the fast ballot. */
function fill(dataDir: string, recordCount: number): void {
  const { store, close } = openDataDirectory(dataDir)
  for (let from = 0; from < recordCount; from += RECORDS_PER_TRANSACTION) {
    store.transaction(() => {
      for (let index = from; index < Math.min(recordCount, from + RECORDS_PER_TRANSACTION); index += 1) {
        const value = Buffer.from(JSON.stringify({ groupId: `group-${index}`, labels: {} }))
        store.save(`group/group-${index}`, EMPTY_RECORD, {
          promised: { round: 2, proposerId: 0 },
          accepted: { round: 1, proposerId: 0 },
          state: successor(ABSENT, { proposerId: 1, sequence: index + 1 }, value),
          chosen: true,
          isStub: false,
        })
      }
    })
  }
  const members = NODE_IDS.map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
  const membership: Membership = { clusterId: 'compared', epoch: 1, members, tombstoneGraceMs: 3_600_000 }
  store.transaction(() => store.saveMembership(membership))
  close()
}

/** Gives a copied database another node id. */
function rename(dataDir: string, nodeId: string): void {
  const db = new DatabaseSync(join(dataDir, 'node.db'))
  db.prepare('UPDATE node SET node_id = ?, checksum = ?').run(nodeId, checksumOf(nodeId))
  db.close()
}
