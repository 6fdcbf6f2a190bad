/** A cluster of real processes on this machine, for tests and benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { TcpProxy } from './tcp-proxy.ts'

/** How `cohort` is started: a command and its first arguments. */
export type Program = readonly [command: string, ...args: string[]]

/** The program of this tree. */
export const THIS_PROGRAM: Program = [
  process.execPath,
  fileURLToPath(new URL('../../bin/cohort', import.meta.url)),
]

/** One service of the cluster: a node or a connector. It can be killed and started again on the same port. */
export class Service {
  readonly name: string
  readonly port: number
  /** What `start` runs. Another version may take the service over while it is stopped. */
  program: Program
  readonly #args: readonly string[]
  #process: ChildProcess | undefined
  /** Everything it has written, of all its lives. */
  output = ''
  /** With which codes it has ended, where no signal ended it. */
  readonly exitCodes: number[] = []

  constructor(name: string, port: number, args: readonly string[], program: Program = THIS_PROGRAM) {
    this.name = name
    this.port = port
    this.program = program
    this.#args = args
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get url(): string {
    return `http://${this.address}`
  }

  /** Of its present or last life. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  start(): void {
    const [command, ...args] = this.program
    const child = spawn(command, [...args, ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'info' },
    })
    const take = (chunk: Buffer) => {
      this.output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('exit', (code) => {
      if (code !== null) this.exitCodes.push(code)
    })
    this.#process = child
  }

  /** Sends a signal; to a process that is gone, nothing. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** Sends a signal and waits until the process is gone. */
  async end(name: NodeJS.Signals): Promise<number | null> {
    const exit = this.exit()
    this.signal(name)
    return exit
  }

  /** Waits for the process to end by itself. */
  async exit(): Promise<number | null> {
    const child = this.#process
    if (child === undefined) return null
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }
}

export type LocalClusterOptions = Readonly<{
  nodes?: number
  /** Nodes that run, empty, and that no connector is told of; the last of `nodes`. Default: none. */
  spares?: number
  connectors?: number
  /** What the connectors listen on; 127.0.0.1 must be among its addresses. */
  connectorHost?: string
  timeoutSeconds?: number
  /** How long each step of a removal waits. */
  graceSeconds?: number
  /** Connectors reach nodes through `links`. Default: directly. */
  isProxied?: boolean
  /** What the nodes run, and what the connectors run. Default: the program of this tree. */
  nodeProgram?: Program
  connectorProgram?: Program
}>

export class LocalCluster {
  readonly directory: string
  readonly nodes: readonly Service[]
  readonly connectors: readonly Service[]
  /** By connector, then by node: the network between the two. Empty when they talk directly. */
  readonly links: readonly (readonly TcpProxy[])[]

  private constructor({
    directory,
    nodes,
    connectors,
    links,
  }: Pick<LocalCluster, 'directory' | 'nodes' | 'connectors' | 'links'>) {
    this.directory = directory
    this.nodes = nodes
    this.connectors = connectors
    this.links = links
  }

  /**
   * Starts everything and waits until every connector is ready. `await using` ends it and removes its data.
   */
  static async start({
    nodes = 3,
    spares = 0,
    connectors = 1,
    connectorHost = '127.0.0.1',
    timeoutSeconds = 3,
    graceSeconds = 3_600,
    isProxied = false,
    nodeProgram = THIS_PROGRAM,
    connectorProgram = THIS_PROGRAM,
  }: LocalClusterOptions = {}): Promise<LocalCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'cohort-cluster-'))
    const ports = await freePorts(nodes + spares + connectors + (isProxied ? nodes * connectors : 0))
    const nodeServices = ports.slice(0, nodes + spares).map((port, index) => {
      const dataDir = join(directory, `node${index + 1}`)
      // Any free port for the metrics: the log says which.
      const args = ['node', '--port', String(port), '--metrics-port', '0', '--data-dir', dataDir]
      return new Service(`node${index + 1}`, port, args, nodeProgram)
    })
    const connectorPorts = ports.slice(nodes + spares, nodes + spares + connectors)
    const linkPorts = ports.slice(nodes + spares + connectors)
    const linksOfOne = () =>
      Promise.all(nodeServices.slice(0, nodes).map(({ port }) => TcpProxy.start(port, linkPorts.pop())))
    const links = isProxied ? await Promise.all(connectorPorts.map(linksOfOne)) : []
    const connectorServices = connectorPorts.map((port, index) => {
      const hosts = links[index] ?? nodeServices.slice(0, nodes)
      const args = [
        'connector',
        '--host',
        connectorHost,
        '--port',
        String(port),
        '--hosts',
        hosts.map(({ address }) => address).join(','),
        '--timeout',
        String(timeoutSeconds),
        '--tombstone-grace',
        String(graceSeconds),
      ]
      return new Service(`connector${index + 1}`, port, args, connectorProgram)
    })
    const cluster = new LocalCluster({
      directory,
      nodes: nodeServices,
      connectors: connectorServices,
      links,
    })
    for (const service of cluster.services) service.start()
    try {
      await Promise.all(cluster.connectors.map((connector) => untilReady(connector)))
    } catch (cause) {
      await cluster.stop()
      throw cause
    }
    return cluster
  }

  get services(): readonly Service[] {
    return [...this.nodes, ...this.connectors]
  }

  dataDirectory(index: number): string {
    return join(this.directory, `node${index + 1}`)
  }

  async stop(): Promise<void> {
    for (const service of this.services) service.signal('SIGCONT')
    await Promise.all(this.services.map((service) => service.end('SIGKILL')))
    await Promise.all(this.links.flat().map((link) => link[Symbol.asyncDispose]()))
    await rm(this.directory, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Waits until a connector reports that it is ready. Throws with the service's own words when it does not in
 * 20 s.
 */
export async function untilReady(connector: Service): Promise<void> {
  await until(
    `${connector.name} is ready`,
    20_000,
    async () => (await statusOf(`${connector.url}/readyz`)) === 200,
    () => connector.output,
  )
}

/** Asks `condition` again and again until it holds; throws after `timeoutMs`. */
export async function until(
  claim: string,
  timeoutMs: number,
  condition: () => Promise<boolean> | boolean,
  explain: () => string = () => '',
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${claim}\n${explain()}`)
    await sleep(20)
  }
}

/** The HTTP status of a GET; `undefined` when nobody answers. */
export async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url)
    await response.arrayBuffer()
    return response.status
  } catch {
    return undefined
  }
}

/**
 * Below the ports that systems give to outgoing connections (Linux: from 32,768), one of which could take a
 * service's port before it starts, or while it is down: its cluster then waited for it in vain.
 */
const PORT_MIN = 20_000
const PORT_END = 32_768

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  while (servers.length < count) {
    const server = createServer().listen(randomInt(PORT_MIN, PORT_END), '127.0.0.1')
    const isListening = once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (await isListening) servers.push(server)
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => server.close() && once(server, 'close')))
  return ports
}
