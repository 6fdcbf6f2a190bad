/** A cluster that encrypts everything, and whose certificates and CA are replaced while clients use it. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addCa, dropOldCa, renewLeaves } from '../../src/cli/certs/certificates.ts'
import { filesOf } from '../../src/cli/certs/layout.ts'
import { connectGrpc } from '../../src/rpc/grpc-transport.ts'
import { readMaterial } from '../../src/tls/material.ts'
import { nodeChannel } from '../../src/tls/node-channel.ts'
import { untilVerdict } from './cluster-status.ts'
import { startCommand } from './command.ts'
import { CreateLoad, call, create, missingOf, trustAuthorities } from './load.ts'
import type { LocalCluster } from './local-cluster.ts'
import { freePorts } from './ports.ts'
import type { Service } from './service.ts'
import { sharedCluster } from './shared-cluster.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { until } from './waiting.ts'

const aCluster = sharedCluster({ encrypted: ['api', 'nodes'], processes: ['node1'] })

/** Processes look at their files each second. The rest is for a busy machine. */
const TAKEN_MS = 20_000

/** How long the start of a small cluster may take on a busy machine. */
const START_MS = 40_000

const TAKEN = 'the changed certificate files are in use for new connections'
const REPLACED = 'the connections to all nodes were replaced'

/** Between two reads on new connections: a handshake takes some milliseconds of the processor. */
const READ_PAUSE_MS = 50

/** Reads again and again, each time on a connection of its own, until it is stopped. */
class FreshReads {
  readonly #url: string
  readonly #loop: Promise<void>
  #isStopped = false
  ca: string
  count = 0
  readonly failed: string[] = []

  constructor(url: string, ca: string) {
    this.#url = url
    this.ca = ca
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#loop
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const problem = await this.#read()
      if (problem === undefined) this.count += 1
      else this.failed.push(problem)
      await sleep(READ_PAUSE_MS)
    }
  }

  #read(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const asking = request(`${this.#url}/v1/group/nobody`, { agent: false, ca: this.ca }, (answer) => {
        answer
          .resume()
          .on('end', () => resolve(answer.statusCode === 404 ? undefined : `${answer.statusCode}`))
      })
      asking.on('error', (error) => resolve(error.message)).end()
    })
  }
}

type Line = Readonly<{ msg: string; certificate?: string; serial?: string; authorities?: number }>

function linesOf({ output }: Service): Line[] {
  return output
    .split('\n')
    .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : []))
}

/** Waits until a process uses a certificate file as it is, and trusts as many CAs as another file has. */
async function untilTaken(
  service: Service,
  certificate: string,
  files: { cert: string; ca?: string },
): Promise<void> {
  const { serialNumber } = new X509Certificate(readFileSync(files.cert))
  const authorities = files.ca === undefined ? 0 : readFileSync(files.ca, 'utf8').split('BEGIN').length - 1
  const isTaken = () => {
    const last = linesOf(service).findLast((line) => line.msg === TAKEN && line.certificate === certificate)
    return last?.serial === serialNumber && last.authorities === authorities
  }
  await until(`${service.name} uses the ${certificate} certificate of its files`, TAKEN_MS, isTaken)
}

/** Waits until all processes use their files as they are, and the connector has replaced its connections. */
async function untilAllTaken({ nodes, connectors, certificates }: LocalCluster): Promise<void> {
  for (const node of nodes) await untilTaken(node, 'node', filesOf(certificates, 'node', node.name))
  const [connector] = connectors as [Service]
  const { apiCert, ...files } = filesOf(certificates, 'connector', connector.name)
  await untilTaken(connector, 'node', files)
  await untilTaken(connector, 'api', { cert: apiCert })
  await until('the connector has replaced its connections', TAKEN_MS, () => {
    const lines = linesOf(connector)
    const taken = lines.findLastIndex((line) => line.msg === TAKEN && line.certificate === 'node')
    return lines.findLastIndex(({ msg }) => msg === REPLACED) > taken
  })
}

test('renewed certificates and then a new CA are taken under load, and no request fails', async () => {
  const cluster = await aCluster()
  const { certificates, nodes } = cluster
  const [connector] = cluster.connectors as [Service]
  const { cert: certFile, key: keyFile, ca: caFile } = filesOf(certificates, 'connector', 'connector1')
  const first = readMaterial({ certFile, keyFile, caFile })
  const authorities = () => readFileSync(join(certificates, 'ca.crt'), 'utf8')
  await using load = new CreateLoad(connector.url, 'reload', 4)
  await using fresh = new FreshReads(connector.url, authorities())
  await load.untilMore(20)
  const everything = { nodes: [], connectors: [], now: new Date(), withinMs: Number.POSITIVE_INFINITY }
  for (const step of [
    () => renewLeaves(certificates, everything),
    () => addCa(certificates, new Date()),
    () => renewLeaves(certificates, everything),
    () => dropOldCa(certificates),
  ]) {
    await step()
    await untilAllTaken(cluster)
    // Clients trust a CA before it has signed the certificate of the API.
    fresh.ca = authorities()
    trustAuthorities(fresh.ca)
    const { count } = fresh
    await load.untilMore(20)
    await until('reads on new connections go on', TAKEN_MS, () => fresh.count > count + 10)
  }
  await Promise.all([load.stop(), fresh.stop()])
  assert.deepEqual([load.failed, fresh.failed], [[], []])
  assert.deepEqual(await missingOf(connector.url, load.created), [])
  const { members } = await untilVerdict(connector.url, 'healthy')
  assert.deepEqual(
    members.map(({ reachable, lag }) => [reachable, lag]),
    Array(3).fill([true, 0]),
  )
  // What was valid at the beginning fits nowhere any more.
  for (const { address } of nodes) {
    const transport = connectGrpc(address, { security: (to) => nodeChannel(first, to) })
    await assert.rejects(transport.describe(2_000))
    transport.close()
  }
})

test('a node that is killed and comes back is used again, over TLS too', async () => {
  const cluster = await aCluster()
  const [connector] = cluster.connectors as [Service]
  await using load = new CreateLoad(connector.url, 'killed', 4)
  await load.untilMore(20)
  await cluster.nodes[0]!.end('SIGKILL')
  await load.untilMore(20)
  await cluster.nodes[0]!.restart()
  await untilVerdict(connector.url, 'healthy')
  await load.stop()
  assert.deepEqual(load.failed, [])
})

test('a connector without a certificate gets nothing, and the nodes say what it lacks', async (t: TestContext) => {
  const { nodes } = await aCluster()
  const transport = connectGrpc(nodes[0]!.address)
  t.after(() => transport.close())
  await assert.rejects(transport.describe(2_000))
  await nodes[0]!.says(/a connection was refused: it does not speak TLS/, TAKEN_MS)
  const { status } = await call('GET', nodes[0]!.url)
  assert.equal(status, 0)
})

test('up --tls makes its certificates by itself, and says where the CA is', async () => {
  await using directory = await temporaryDirectory()
  const [port] = await freePorts(4)
  const args = ['up', '--tls', '--nodes', '1', '--data-dir', directory.path, '--port', String(port)]
  const caFile = join(directory.path, 'certificates', 'ca.crt')
  await using up = startCommand(...args)
  await up.says(/Ctrl-C stops it/, START_MS)
  assert.ok(up.output.includes(`  CA    ${caFile}  `), up.output)
  trustAuthorities(readFileSync(caFile, 'utf8'))
  assert.equal((await create(`https://127.0.0.1:${port}`, 'kept')).status, 201)
  await up.end('SIGTERM')
})
