/** `cohort generate`: creates groups, then asks every node directly whether it holds them. */
import { randomUUID } from 'node:crypto'
import type { ClusterStatus } from '../../api/status-schemas.ts'
import { classicQuorum } from '../../register/quorum.ts'
import type { Connect } from '../../rpc/transport.ts'
import { ApiClient, type ApiCredentials } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { findCluster } from '../find-cluster.ts'
import { formatCount, Progress, type ProgressOutput } from '../progress.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { type CreateTally, createGroups, emptyTally } from './create-groups.ts'
import { countUnverified, reportLines } from './report.ts'
import { type NodeVerdict, verifyGroups } from './verify-groups.ts'

export type GenerateOptions = Readonly<{
  amount: number
  url: string
  credentials?: ApiCredentials
  concurrency: number
  /** How many groups one request creates. `undefined`: one, without a batch. */
  batchSize: number | undefined
  /** The nodes to ask. `undefined`: the members of the cluster. */
  hosts: readonly string[] | undefined
  connect: Connect
  output: ProgressOutput
  /** When it aborts, the work ends, and the report says what was done. */
  signal: AbortSignal
}>

/** How long to wait for nodes that lag. */
const VERIFY_PATIENCE_MS = 5_000

/**
 * Creates and verifies the groups, and prints the report.
 *
 * @returns the exit code: ok when all groups were created and each is on a quorum of nodes
 * @throws CommandFailure when no connector answers, or the nodes are not known
 */
export async function generate(options: GenerateOptions): Promise<number> {
  const { amount, url, credentials, concurrency, output, signal } = options
  const client = new ApiClient({ url, credentials, connections: concurrency })
  try {
    const { hosts } = options
    // With `hosts`, the nodes are known before the connector has found its cluster.
    const isEnough = ({ clusterId }: ClusterStatus) => clusterId !== null || hosts !== undefined
    const cluster = await findCluster(client, url, { isEnough, nowMs: output.nowMs, signal })
    const addresses = hosts ?? cluster.members.map(({ address }) => address)
    const quorum = classicQuorum(cluster.clusterId === null ? addresses.length : cluster.members.length)
    const { batchSize } = options
    const atATime =
      batchSize === undefined
        ? `${concurrency} at a time`
        : `in batches of ${formatCount(batchSize)}, ${concurrency} at a time`
    output.write(`creating ${formatCount(amount)} groups through ${url}, ${atATime}\n`)

    const progress = new Progress(output)
    const tally = emptyTally()
    const startMs = performance.now()
    await createAll(client, options, tally, progress)
    const createMs = performance.now() - startMs

    const verdicts = signal.aborted
      ? undefined
      : await verify(options, { tally, addresses, clusterId: cluster.clusterId ?? undefined, progress })
    for (const line of reportLines({ amount, tally, createMs, verdicts, quorum })) output.write(`${line}\n`)
    if (signal.aborted) return EXIT.interrupted
    return isAllWell(amount, tally, verdicts ?? [], quorum) ? EXIT.ok : EXIT.failed
  } finally {
    await client.close()
  }
}

async function createAll(
  client: ApiClient,
  { amount, concurrency, batchSize, signal }: GenerateOptions,
  tally: CreateTally,
  progress: Progress,
): Promise<void> {
  const startMs = performance.now()
  const state = () => {
    const failed = tally.finished - tally.created.size
    const rate = `${formatCount((tally.finished * 1_000) / (performance.now() - startMs))}/s`
    const note = failed === 0 ? rate : `${rate}  ${formatCount(failed)} failed`
    return { label: 'created', done: tally.created.size, total: amount, note }
  }
  const work = createGroups(
    {
      client,
      groupIds: randomIds(amount),
      concurrency,
      batchSize,
      signal,
      onProgress: () => progress.show(state()),
    },
    tally,
  )
  await untilInterrupted(work, signal)
  progress.finish(state())
}

function* randomIds(amount: number): Generator<string> {
  for (let count = 0; count < amount; count += 1) yield randomUUID()
}

type VerifyInput = Readonly<{
  tally: CreateTally
  addresses: readonly string[]
  clusterId: string | undefined
  progress: Progress
}>

async function verify(
  { connect, signal }: GenerateOptions,
  { tally, addresses, clusterId, progress }: VerifyInput,
): Promise<NodeVerdict[]> {
  const total = tally.created.size * addresses.length
  const state = (done: number) => ({ label: 'verified', done, total, note: `on ${addresses.length} nodes` })
  const verdicts = await verifyGroups({
    addresses,
    clusterId,
    created: tally.created,
    unknown: tally.unknown,
    connect,
    patienceMs: VERIFY_PATIENCE_MS,
    signal,
    onProgress: (held) => progress.show(state(held)),
  })
  progress.finish(state(verdicts.reduce((sum, { held }) => sum + held.size, 0)))
  return verdicts
}

function isAllWell(
  amount: number,
  tally: CreateTally,
  verdicts: readonly NodeVerdict[],
  quorum: number,
): boolean {
  return tally.created.size === amount && countUnverified(tally.created.keys(), verdicts, quorum) === 0
}
