/** A cluster of real processes on this machine, for tests and benchmarks. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initCertificates } from '../../src/cli/certs/certificates.ts'
import { filesOf } from '../../src/cli/certs/layout.ts'
import { statusOf, untilVerdict } from './cluster-status.ts'
import { trustAuthorities } from './load.ts'
import { freePorts } from './ports.ts'
import { type Program, Service, THIS_PROGRAM } from './service.ts'
import { ServiceHere } from './service-here.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { until } from './waiting.ts'

/**
 * How long a connector may take to find its nodes after all were started, on a machine that is busy with
 * others.
 */
const READY_MS = 30_000

export type LocalClusterOptions = Readonly<{
  nodes?: number
  /** The number of empty nodes that no connector knows; they are the last of `nodes`. Default: none. */
  spares?: number
  connectors?: number
  /** What the connectors listen on; 127.0.0.1 must be among its addresses. */
  connectorHost?: string
  /** Further arguments of each connector. */
  connectorArgs?: readonly string[]
  timeoutSeconds?: number
  /** How long each step of a removal waits. */
  graceSeconds?: number
  /**
   * How long an empty node waits before it takes the place of a member. Default: the default of a connector.
   */
  replaceAfterSeconds?: number
  /** How long a node takes to read all its records once. Default: what a node has. */
  scrubSeconds?: number
  /** Connectors reach nodes through `links`. Default: directly. */
  isProxied?: boolean
  /** The API speaks HTTPS (`api`), and connectors and nodes speak mutual TLS (`nodes`). Default: neither. */
  encrypted?: readonly ('api' | 'nodes')[]
  /**
   * The names of the nodes and connectors that have a process of their own (`node1`, `connector2`). The
   * others run in the process of the test, which costs a tenth. They can be stopped, but not killed or
   * suspended. Default: all.
   */
  processes?: readonly string[]
  /** What the nodes run, and what the connectors run. Default: the program of this tree. */
  nodeProgram?: Program
  connectorProgram?: Program
}>

export class LocalCluster {
  readonly nodes: readonly Service[]
  readonly connectors: readonly Service[]
  /** By connector, then by node: the network between the two. Empty when they talk directly. */
  readonly links: readonly (readonly TcpProxy[])[]
  readonly #directory: TemporaryDirectory

  private constructor({
    directory,
    nodes,
    connectors,
    links,
  }: Pick<LocalCluster, 'nodes' | 'connectors' | 'links'> & { directory: TemporaryDirectory }) {
    this.#directory = directory
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
    connectorArgs = [],
    timeoutSeconds = 3,
    graceSeconds = 3_600,
    replaceAfterSeconds,
    scrubSeconds,
    isProxied = false,
    encrypted = [],
    processes,
    nodeProgram = THIS_PROGRAM,
    connectorProgram = THIS_PROGRAM,
  }: LocalClusterOptions = {}): Promise<LocalCluster> {
    const directory = await temporaryDirectory()
    const ports = await freePorts(nodes + spares + connectors + (isProxied ? nodes * connectors : 0))
    const certificates = join(directory.path, 'certificates')
    const isApiEncrypted = encrypted.includes('api')
    const areNodesEncrypted = encrypted.includes('nodes')
    const serviceOf = (...args: ConstructorParameters<typeof Service>) => {
      const [name, , , program] = args
      if (processes?.includes(name) !== false) return new Service(...args)
      if (program !== THIS_PROGRAM) throw new Error(`${name} needs a process to run another program`)
      return new ServiceHere(...args)
    }
    if (encrypted.length > 0) await makeCertificates(certificates, { nodes: nodes + spares, connectors })
    const nodeServices = ports.slice(0, nodes + spares).map((port, index) => {
      const dataDir = join(directory.path, `node${index + 1}`)
      // Any free port for the metrics: the log says which.
      const args = ['node', '--port', String(port), '--metrics-port', '0', '--data-dir', dataDir]
      if (scrubSeconds !== undefined) args.push('--scrub-period', String(scrubSeconds))
      if (areNodesEncrypted) args.push(...nodeFlags(certificates, 'node', `node${index + 1}`))
      return serviceOf(`node${index + 1}`, port, args, nodeProgram)
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
        // A connector asks for keys at any other host, also at a name that a test has made.
        ...(connectorHost === '127.0.0.1' ? [] : ['--insecure']),
        '--port',
        String(port),
        '--hosts',
        hosts.map(({ address }) => address).join(','),
        '--timeout',
        String(timeoutSeconds),
        '--tombstone-grace',
        String(graceSeconds),
        ...connectorArgs,
        ...(replaceAfterSeconds === undefined ? [] : ['--replace-after', String(replaceAfterSeconds)]),
        ...(areNodesEncrypted ? nodeFlags(certificates, 'connector', `connector${index + 1}`) : []),
        ...(isApiEncrypted ? apiFlags(certificates, `connector${index + 1}`) : []),
      ]
      const scheme = isApiEncrypted ? 'https' : 'http'
      return serviceOf(`connector${index + 1}`, port, args, connectorProgram, scheme)
    })
    const cluster = new LocalCluster({
      directory,
      nodes: nodeServices,
      connectors: connectorServices,
      links,
    })
    for (const service of cluster.services) service.start()
    if (isApiEncrypted) trustAuthorities(await readFile(join(certificates, 'ca.crt'), 'utf8'))
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
    return join(this.#directory.path, `node${index + 1}`)
  }

  /** Where the certificates are, if the cluster has some. */
  get certificates(): string {
    return join(this.#directory.path, 'certificates')
  }

  /** Ends every fault of processes and network: stopped processes go on, and ended ones are started again. */
  async heal(): Promise<void> {
    for (const link of this.links.flat()) link.heal()
    for (const service of this.services) if (service.isStopped) service.signal('SIGCONT')
    await Promise.all(this.services.filter(({ isRunning }) => !isRunning).map((service) => service.restart()))
    await Promise.all(this.connectors.map(({ url }) => untilVerdict(url, 'healthy', READY_MS)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.services.map((service) => service.discard()))
    await Promise.all(this.links.flat().map((link) => link[Symbol.asyncDispose]()))
    await this.#directory[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

async function makeCertificates(
  directory: string,
  { nodes, connectors }: Readonly<{ nodes: number; connectors: number }>,
): Promise<void> {
  const places = (kind: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `${kind}${index + 1}`, hosts: ['127.0.0.1'] }))
  await initCertificates(directory, {
    cluster: undefined,
    nodes: places('node', nodes),
    connectors: places('connector', connectors),
    existing: 'refuse',
    now: new Date(),
  })
}

function nodeFlags(directory: string, kind: 'node' | 'connector', name: string): string[] {
  const { cert, key, ca } = filesOf(directory, kind, name)
  return ['--node-tls-cert-file', cert, '--node-tls-key-file', key, '--node-tls-ca-file', ca]
}

function apiFlags(directory: string, name: string): string[] {
  const { apiCert, apiKey } = filesOf(directory, 'connector', name)
  return ['--tls-cert-file', apiCert, '--tls-key-file', apiKey]
}

/** Waits until a connector says that it is ready. */
export async function untilReady(connector: Service): Promise<void> {
  await until(
    `${connector.name} is ready`,
    READY_MS,
    async () => (await statusOf(`${connector.url}/readyz`)) === 200,
  )
}
