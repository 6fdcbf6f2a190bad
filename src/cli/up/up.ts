/**
 * `cohort up`: a local cluster of real processes, from the first port check to the last process that ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { LOOPBACK, type UpSettings } from '../../config/settings.ts'
import { formatAddress } from '../../process/address.ts'
import { destinationOf } from '../../process/destination.ts'
import { LineOutput } from '../../process/line-output.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { planCluster, type ServicePlan } from './cluster-plan.ts'
import { checkLayout, makeLayout } from './data-layout.ts'
import { checkPorts } from './ports.ts'
import { readableLines } from './readable-line.ts'
import { Supervisor } from './supervisor.ts'

/** The name under which the supervisor prints lines of its own. */
const ITSELF = 'cohort'

const READY_POLL_MS = 100
/** When to say that it takes long. */
const READY_PATIENCE_MS = 15_000
/** Beyond the drain timeout, for a process to close its files. */
const GRACE_MS = 5_000

/**
 * Runs the cluster until Ctrl-C or SIGTERM.
 *
 * @returns the exit code: ok when all was stopped cleanly
 * @throws CommandFailure when it cannot start; nothing is left running
 */
export async function up(
  settings: UpSettings,
  terminal: Pick<Output, 'isTerminal' | 'hasColours'>,
): Promise<number> {
  const plan = planCluster(settings)
  await checkLayout(settings.dataDir, settings.nodeCount)
  await checkPorts(plan)
  await makeLayout(settings.dataDir, settings.nodeCount)

  const print = printer(plan, terminal)
  const stopping = new AbortController()
  let failure: string | undefined
  const supervisor = new Supervisor({
    plan,
    print,
    graceMs: settings.drainTimeoutMs + GRACE_MS,
    onHopeless: (reason) => {
      failure = reason
      stopping.abort()
    },
  })
  const stopped = untilStopped(stopping, supervisor)
  supervisor.start()
  void announce(settings, plan, { print, signal: stopping.signal, onReady: () => supervisor.markReady() })

  await stopped
  print(ITSELF, failure === undefined ? 'stopping: connectors first, then nodes' : failure)
  const isClean = await supervisor.stop()
  print(ITSELF, failure === undefined ? 'stopped' : 'stopped: nothing is left running')
  return isClean && failure === undefined ? EXIT.ok : EXIT.failed
}

/** Resolves at the first reason to stop; a second Ctrl-C afterwards kills what is left. */
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
  print: (name: string, line: string) => void
  signal: AbortSignal
  onReady: () => void
}>

/** Waits until every connector is ready, and says where everything is. */
async function announce(
  settings: UpSettings,
  plan: readonly ServicePlan[],
  { print, signal, onReady }: AnnounceOptions,
): Promise<void> {
  const urls = plan.filter(({ kind }) => kind === 'connector').map(urlOf)
  const startMs = performance.now()
  let hasWarned = false
  while (!(await areReady(urls))) {
    if (signal.aborted) return
    if (!hasWarned && performance.now() - startMs > READY_PATIENCE_MS) {
      hasWarned = true
      print(ITSELF, 'not ready yet: the lines above say what is missing')
    }
    await sleep(READY_POLL_MS)
  }
  if (signal.aborted) return
  onReady()
  for (const line of readyLines(settings, urls, metricsUrls(plan))) print(ITSELF, line)
}

function readyLines(
  { nodeCount, dataDir }: UpSettings,
  urls: readonly string[],
  metrics: readonly string[],
): string[] {
  return [
    `ready: ${nodeCount} ${nodeCount === 1 ? 'node' : 'nodes'}, ${urls.length} ${urls.length === 1 ? 'connector' : 'connectors'}`,
    ...urls.map((url) => `  API   ${url}/v1/group`),
    `  docs  ${urls[0]}/v1/docs and ${urls[0]}/v1/redoc`,
    `  figures for Prometheus  ${metrics.join(' ')}`,
    `  data  ${dataDir}`,
    'Ctrl-C stops it',
  ]
}

/** Of every service: a connector has its metrics beside the API. */
function metricsUrls(plan: readonly ServicePlan[]): string[] {
  return plan.map((service) => `${urlOf({ ...service, port: service.metricsPort ?? service.port })}/metrics`)
}

async function areReady(urls: readonly string[]): Promise<boolean> {
  const results = await Promise.all(urls.map(isReady))
  return results.every((result) => result)
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${url}/readyz`, { headersTimeout: 2_000, bodyTimeout: 2_000 })
    await body.dump()
    return statusCode === 200
  } catch {
    // Not listening yet, or gone: the same answer.
    return false
  }
}

/** An address to ask at, for one to listen on: a wildcard is nobody's name. */
function urlOf({ host, port }: ServicePlan): string {
  return `http://${formatAddress(host === '0.0.0.0' || host === '::' ? LOOPBACK : host, port)}`
}

/** How much may wait for a reader that is slow: some thousand lines. */
const PENDING_BYTES_MAX = 1_048_576

/**
 * Prints `node1     | text`, all in one column. A line that cannot be written is dropped: a full disk, or a
 * reader that is gone, stops no cluster.
 */
function printer(
  plan: readonly ServicePlan[],
  { isTerminal, hasColours }: Pick<Output, 'isTerminal' | 'hasColours'>,
): (name: string, line: string) => void {
  const width = Math.max(ITSELF.length, ...plan.map(({ name }) => name.length))
  const textOf = (name: string, line: string) => `${name.padEnd(width)} | ${line}\n`
  const destination = destinationOf(1, { pendingBytesMax: PENDING_BYTES_MAX })
  const lines = new LineOutput(destination, (count) =>
    textOf(ITSELF, `${count} ${count === 1 ? 'line' : 'lines'} could not be written and were dropped`),
  )
  // A terminal is read by a person, anything else by a program, which can read JSON.
  const shown = isTerminal ? readableLines({ colorize: hasColours }) : (line: string) => line
  return (name, line) => lines.write(textOf(name, shown(line)))
}
