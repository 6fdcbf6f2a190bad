/** Load over HTTP: the same programs, with prepared requests, for every side that speaks HTTP. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import { arrivals, type Histogram, histogramOf, longestGapMs } from '../statistics.ts'
import { runWrk } from '../wrk.ts'
import {
  BEFORE_EVENT_MS,
  OPEN_LOOP_CONNECTIONS,
  OPEN_LOOP_WARM_SECONDS,
  OUTAGE_CLIENTS,
  type Outage,
  type Turn,
} from './peer.ts'

export type HttpRequest = Readonly<{
  method: 'GET' | 'POST' | 'PATCH'
  path: string
  body?: string
  contentType?: string
}>

export type HttpResponse = Readonly<{ status: number; text: string }>

/** No side answers more requests a second on such a machine, from one client or from 256. */
const PER_SECOND_MAX = 40_000
const PER_SECOND_MAX_OF_ONE = 8_000

/**
 * One turn of wrk. Its requests are written to a file before it starts.
 *
 * @param isRepeatable whether a request may be sent again when all were; otherwise there are enough for the
 *   turn
 */
export async function wrkTurn(
  url: string,
  requestAt: (index: number) => HttpRequest,
  { clients, seconds, isRepeatable }: Readonly<{ clients: number; seconds: number; isRepeatable: boolean }>,
): Promise<Turn> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-peers-'))
  try {
    const file = join(directory, 'requests')
    const perSecond = clients === 1 ? PER_SECOND_MAX_OF_ONE : PER_SECOND_MAX
    const count = isRepeatable ? 50_000 : Math.ceil(perSecond * (seconds + 1))
    const lines = Array.from({ length: count }, (_, index) => {
      const { method, path, body = '' } = requestAt(index)
      return `${method} ${path} ${body}`
    })
    await writeFile(file, lines.join('\n'))
    const args = [file, isRepeatable ? 'again' : 'once']
    const result = await runWrk(url, 'peers/prepared.lua', { clients, seconds, args })
    if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests to ${url} failed`)
    const { perSecond: rate, p50Ms, p99Ms, loadUs } = result
    return { perSecond: rate, p50Ms, p99Ms, loadUs }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/**
 * Clients in this process, for what wrk cannot do: open loops, loops of several requests, and watching
 * outages.
 */
export class HttpClients {
  readonly #pool: Pool

  /** @param timeoutMs after how long a request without an answer counts as failed */
  constructor(url: string, connections: number, timeoutMs = 10_000) {
    this.#pool = new Pool(url, {
      connections,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: timeoutMs },
    })
  }

  async send({ method, path, body, contentType = 'application/json' }: HttpRequest): Promise<HttpResponse> {
    const options: Dispatcher.RequestOptions = { method, path }
    if (body !== undefined) Object.assign(options, { body, headers: { 'content-type': contentType } })
    const response = await this.#pool.request(options)
    return { status: response.statusCode, text: await response.body.text() }
  }

  /** Like `send`, but rejects unless the answer is 2xx. */
  async expect(request: HttpRequest): Promise<string> {
    const { status, text } = await this.send(request)
    if (status < 200 || status > 299) throw new Error(`${request.method} ${request.path}: ${status} ${text}`)
    return text
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}

/** Sends requests when they are due, and not when the ones before are answered. */
export async function httpOpenLoop(
  url: string,
  requestAt: (index: number) => HttpRequest,
  { perSecond, seconds }: Readonly<{ perSecond: number; seconds: number }>,
): Promise<Histogram> {
  await using clients = new HttpClients(url, OPEN_LOOP_CONNECTIONS)
  const due = [...arrivals(perSecond, OPEN_LOOP_WARM_SECONDS + seconds, Math.random)]
  const prepared = due.map((_, index) => requestAt(index))
  const latenciesMs: number[] = []
  const underWay: Promise<void>[] = []
  const startMs = performance.now()
  for (let index = 0; index < due.length; ) {
    const nowMs = performance.now() - startMs
    while (index < due.length && due[index]! <= nowMs) {
      const dueMs = startMs + due[index]!
      const counts = due[index]! >= OPEN_LOOP_WARM_SECONDS * 1_000
      underWay.push(
        clients.expect(prepared[index]!).then(() => {
          if (counts) latenciesMs.push(performance.now() - dueMs)
        }),
      )
      index += 1
    }
    await sleep(1)
  }
  await Promise.all(underWay)
  return histogramOf(latenciesMs)
}

/** Clients that repeat an operation until the time is over. Rejects if one fails. */
export async function closedLoop(
  clients: number,
  seconds: number,
  operate: (index: number) => Promise<void>,
): Promise<Turn> {
  const latenciesMs: number[] = []
  const startMs = performance.now()
  let count = 0
  const loop = async () => {
    while (performance.now() < startMs + seconds * 1_000) {
      const beginMs = performance.now()
      count += 1
      await operate(count)
      latenciesMs.push(performance.now() - beginMs)
    }
  }
  await Promise.all(Array.from({ length: clients }, loop))
  const { points } = histogramOf(latenciesMs)
  const at = (wanted: number) => points.find(({ share }) => share === wanted)?.ms ?? Number.NaN
  const perSecond = (latenciesMs.length / (performance.now() - startMs)) * 1_000
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** Creates groups without a pause, causes an event, and returns what clients saw of it. */
export async function httpOutage(
  url: string,
  requestAt: (index: number) => HttpRequest,
  seconds: number,
  cause: () => Promise<void> | void,
): Promise<Outage> {
  await using clients = new HttpClients(url, OUTAGE_CLIENTS, seconds * 1_000)
  const successTimesMs: number[] = []
  let failed = 0
  let count = 0
  let isRunning = true
  const loop = async () => {
    while (isRunning) {
      count += 1
      const isDone = await clients.expect(requestAt(count)).then(
        () => true,
        () => false,
      )
      if (isDone) successTimesMs.push(performance.now())
      else failed += 1
      // A side that refuses at once is asked again as often as a real client would ask it.
      if (!isDone) await sleep(10)
    }
  }
  const loops = Promise.all(Array.from({ length: OUTAGE_CLIENTS }, loop))
  await sleep(BEFORE_EVENT_MS)
  const fromMs = performance.now()
  const failedBefore = failed
  await cause()
  await sleep(seconds * 1_000)
  const toMs = performance.now()
  const failedInside = failed - failedBefore
  isRunning = false
  await clients[Symbol.asyncDispose]()
  await loops
  return outageOf(successTimesMs, fromMs, toMs, failedInside)
}

/** @param successTimesMs ascending */
export function outageOf(
  successTimesMs: readonly number[],
  fromMs: number,
  toMs: number,
  failed: number,
): Outage {
  const gapMs = longestGapMs(successTimesMs, fromMs, toMs)
  const succeeded = successTimesMs.filter((time) => time >= fromMs && time <= toMs).length
  const last = successTimesMs.findLast((time) => time <= toMs) ?? fromMs
  // A gap that lasts to the end is a gap that was not seen to end.
  return { gapMs, failed, succeeded, isOver: toMs - Math.max(last, fromMs) < gapMs }
}
