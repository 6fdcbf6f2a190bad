/**
 * `cohort up`: runs a local cluster of real processes, from the check of the ports to the end of the last
 * process.
 */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOOPBACK, type UpSettings } from '../../config/settings.ts'
import { formatAddress, isLoopback } from '../../process/address.ts'
import { destinationOf } from '../../process/destination.ts'
import { LineOutput } from '../../process/line-output.ts'
import { counted } from '../counted.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { type AdminKeyFiles, adminKeyFiles, makeAdminKey } from './admin-key.ts'
import { askService } from './ask-service.ts'
import { certificatesIn, keepRenewing, makeCertificates } from './certificates.ts'
import { planCluster, type ServicePlan } from './cluster-plan.ts'
import { checkLayout, makeDataDirectory, makeLayout } from './data-layout.ts'
import { checkPorts } from './ports.ts'
import { Supervisor } from './supervisor.ts'

/** The name under which the supervisor prints lines of its own. */
const ITSELF = 'cohort'

const READY_POLL_MS = 100
/** After this time a line says that the cluster is not ready yet. */
const READY_PATIENCE_MS = 15_000

/**
 * Runs the cluster until Ctrl-C or SIGTERM.
 *
 * @returns the exit code: ok when every process stopped cleanly
 * @throws CommandFailure when the cluster cannot start; then nothing is left running
 */
export async function up(
  given: UpSettings,
  terminal: Pick<Output, 'isTerminal' | 'hasColours'>,
): Promise<number> {
  const adminKey = adminKeyOf(given)
  const settings = { ...given, adminKeyFile: adminKey?.hashFile ?? given.adminKeyFile }
  const { plan, makeData, makeSchema, database } = await engineOf(settings)
  await checkPorts(plan)
  await makeData()
  if (adminKey !== undefined) await makeAdminKey(adminKey)
  const renew = () => makeCertificates(settings.dataDir, plan)
  if (settings.isEncrypted) await renew()

  const print = await printer(plan, terminal)
  const stopping = new AbortController()
  let failure: string | undefined
  const supervisor = new Supervisor({
    plan,
    print,
    drainTimeoutMs: settings.drainTimeoutMs,
    onHopeless: (reason) => {
      failure = reason
      stopping.abort()
    },
  })
  const stopped = untilStopped(stopping, supervisor)
  if (makeSchema === undefined) supervisor.start()
  else {
    supervisor.start('server')
    void makeSchema(stopping.signal).then(
      (lines) => {
        if (stopping.signal.aborted) return
        for (const line of lines) print(ITSELF, line)
        supervisor.start('connector')
      },
      (error: unknown) => {
        if (stopping.signal.aborted) return
        failure = error instanceof Error ? error.message : String(error)
        stopping.abort()
      },
    )
  }
  void announce(settings, plan, {
    adminKey,
    database,
    print,
    signal: stopping.signal,
    onReady: () => supervisor.markReady(),
  })

  const endRenewing = settings.isEncrypted
    ? keepRenewing(renew, (reason) => print(ITSELF, `the certificates could not be renewed: ${reason}`))
    : () => {}
  await stopped
  endRenewing()
  print(ITSELF, failure ?? stoppingLine(settings))
  const isClean = await supervisor.stop()
  print(ITSELF, failure === undefined ? 'stopped' : 'stopped: nothing is left running')
  return isClean && failure === undefined ? EXIT.ok : EXIT.failed
}

/** The processes, and what makes their data. `makeSchema`: connectors start after it. */
type EnginePlan = Readonly<{
  plan: readonly ServicePlan[]
  /** Run when the ports are known to be free. */
  makeData: () => Promise<void>
  makeSchema?: (signal: AbortSignal) => Promise<readonly string[]>
  /** How people reach the local database. */
  database?: string | undefined
}>

async function engineOf(settings: UpSettings): Promise<EnginePlan> {
  const { dataDir, nodeCount, postgres } = settings
  if (postgres === undefined) {
    await checkLayout(dataDir, nodeCount)
    return { plan: planCluster(settings), makeData: () => makeLayout(dataDir, nodeCount) }
  }
  const { planOnPostgres, makeSchema } = await import('./postgres/on-postgres.ts')
  const { plan, makeData, database } = await planOnPostgres(settings)
  return {
    plan,
    makeData: async () => {
      makeDataDirectory(dataDir)
      await makeData()
    },
    makeSchema: (signal) => makeSchema(settings, signal),
    database,
  }
}

/**
 * The files of the admin key that `up` makes: if other machines can reach the connectors, and nothing says
 * how callers show who they are.
 */
function adminKeyOf({ host, adminKeyFile, isInsecure, dataDir }: UpSettings): AdminKeyFiles | undefined {
  const isReachable = !isLoopback(host) && !isInsecure
  return isReachable && adminKeyFile === undefined ? adminKeyFiles(dataDir) : undefined
}

/** Resolves when `stopping` aborts or the first signal comes. A second signal kills what is left. */
function untilStopped(stopping: AbortController, supervisor: Supervisor): Promise<void> {
  const onSignal = () => {
    if (stopping.signal.aborted) supervisor.kill()
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  return new Promise((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

type AnnounceOptions = Readonly<{
  adminKey: AdminKeyFiles | undefined
  database: string | undefined
  print: (name: string, line: string) => void
  signal: AbortSignal
  onReady: () => void
}>

/** Waits until every connector is ready, and prints where everything is. */
async function announce(
  settings: UpSettings,
  plan: readonly ServicePlan[],
  { adminKey, database, print, signal, onReady }: AnnounceOptions,
): Promise<void> {
  const urls = plan.filter(({ kind }) => kind === 'connector').map(urlOf)
  const { caFile } = certificatesIn(settings.dataDir)
  const ca = settings.isEncrypted ? readFileSync(caFile, 'utf8') : undefined
  const startMs = performance.now()
  let hasWarned = false
  while (!(await areReady(urls, ca))) {
    if (signal.aborted) return
    if (!hasWarned && performance.now() - startMs > READY_PATIENCE_MS) {
      hasWarned = true
      print(ITSELF, 'not ready yet: the lines above, or "cohort status", say what is missing')
    }
    await sleep(READY_POLL_MS)
  }
  if (signal.aborted) return
  onReady()
  const keyFile = adminKey !== undefined && existsSync(adminKey.keyFile) ? adminKey.keyFile : undefined
  const clusterId = await clusterIdAt(urls[0]!, keyFile, ca)
  const lines = readyLines(settings, urls, { metrics: metricsUrls(plan), clusterId, keyFile, database })
  for (const line of lines) print(ITSELF, line)
}

function readyLines(
  settings: UpSettings,
  urls: readonly string[],
  {
    metrics,
    clusterId,
    keyFile,
    database,
  }: Readonly<{
    metrics: readonly string[]
    clusterId: string | undefined
    keyFile: string | undefined
    database: string | undefined
  }>,
): string[] {
  const { nodeCount, dataDir, isEncrypted, postgres } = settings
  const kept = nodeCount === 0 ? 'a database' : counted(nodeCount, postgres === undefined ? 'node' : 'server')
  return [
    `ready: ${kept}, ${counted(urls.length, 'connector')}`,
    ...urls.map((url) => `  API   ${url}/v1/group`),
    `  docs  ${urls[0]}/v1/docs and ${urls[0]}/v1/redoc`,
    `  figures for Prometheus  ${metrics.join(' ')}`,
    ...(nodeCount === 0 ? [] : [`  data  ${dataDir}`]),
    ...(database === undefined ? [] : [`  database  ${database}`]),
    ...(keyFile === undefined
      ? []
      : [`  admin key  ${keyFile}  (COHORT_KEY_FILE names it for the commands)`]),
    ...(isEncrypted
      ? [`  CA    ${certificatesIn(dataDir).caFile}  (COHORT_CA_FILE names it for the commands)`]
      : []),
    ...(clusterId === undefined ? [] : [`  cluster  ${clusterId}  (CLUSTER_ID pins it)`]),
    'Ctrl-C stops it',
  ]
}

function stoppingLine({ nodeCount, postgres }: UpSettings): string {
  if (nodeCount === 0) return 'stopping the connectors'
  return `stopping: connectors first, then ${postgres === undefined ? 'nodes' : 'servers'}`
}

/** The address of the metrics of every service. A connector has its metrics on the port of the API. */
function metricsUrls(plan: readonly ServicePlan[]): string[] {
  return plan
    .filter(({ kind }) => kind !== 'server')
    .map((service) => `${urlOf({ ...service, port: service.metricsPort ?? service.port })}/metrics`)
}

async function areReady(urls: readonly string[], ca: string | undefined): Promise<boolean> {
  const answers = await Promise.all(urls.map((url) => askService(`${url}/readyz`, { ca })))
  return answers.every((answer) => answer?.status === 200)
}

/** The id of the cluster. `undefined`: the connector does not answer any more, or does not tell it. */
async function clusterIdAt(
  url: string,
  keyFile: string | undefined,
  ca: string | undefined,
): Promise<string | undefined> {
  try {
    const headers: { [name: string]: string } = {}
    if (keyFile !== undefined) headers.authorization = `Bearer ${readFileSync(keyFile, 'utf8').trim()}`
    const answer = await askService(`${url}/v1/cluster`, { ca, headers })
    const { clusterId } = JSON.parse(answer?.body ?? '{}') as { clusterId?: string | null }
    return clusterId ?? undefined
  } catch {
    return undefined
  }
}

/** The URL to reach a service. A wildcard address, on which it may listen, cannot be connected to. */
function urlOf({ scheme, host, port }: ServicePlan): string {
  return `${scheme}://${formatAddress(host === '0.0.0.0' || host === '::' ? LOOPBACK : host, port)}`
}

/** How many bytes may wait for a slow reader: some thousand lines. */
const PENDING_BYTES_MAX = 1_048_576

/**
 * Prints `node1     | text`, with the names in one column. A line that cannot be written is dropped, because
 * a full disk or a closed pipe must not stop the cluster.
 */
async function printer(
  plan: readonly ServicePlan[],
  { isTerminal, hasColours }: Pick<Output, 'isTerminal' | 'hasColours'>,
): Promise<(name: string, line: string) => void> {
  const width = Math.max(ITSELF.length, ...plan.map(({ name }) => name.length))
  const textOf = (name: string, line: string) => `${name.padEnd(width)} | ${line}\n`
  const destination = destinationOf(1, { pendingBytesMax: PENDING_BYTES_MAX })
  const lines = new LineOutput(destination, (count) =>
    textOf(ITSELF, `missing here: ${counted(count, 'line')} that could not be written`),
  )
  // A person reads a terminal. A program reads anything else, and can read JSON.
  const shown = isTerminal
    ? (await import('./readable-line.ts')).readableLines({ colorize: hasColours })
    : (line: string) => line
  return (name, line) => lines.write(textOf(name, shown(line)))
}
