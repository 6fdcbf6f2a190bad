/** Requests against the public API, and a steady load of creates that remembers the answers. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { until } from './waiting.ts'

/**
 * The result of a request. `status` 0: there was no answer, because the connection broke or the answer took
 * too long; `body.cause` then says why. `body` is empty if the answer is not JSON.
 */
export type Reply = Readonly<{
  status: number
  body: { [key: string]: unknown }
  headers: { [key: string]: unknown }
}>

/**
 * A connector answers within its TIMEOUT (in tests 3 s at most); the rest is for a machine that is busy with
 * others.
 */
const ANSWER_MS = 10_000

let agent = new Agent()

/** From now on, requests are sent on new connections, and trust these CAs (PEM). */
export function trustAuthorities(ca: string): void {
  const last = agent
  agent = new Agent({ connect: { ca } })
  void last.close()
}

/**
 * Closes every connection of this process that no request is using; for tests that count those of a server.
 */
export async function closeConnections(): Promise<void> {
  const last = agent
  agent = new Agent()
  await last.close()
}

/** Sends a request; `answerMs` is how long its answer may take. */
export async function call(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH',
  url: string,
  body?: object,
  answerMs = ANSWER_MS,
): Promise<Reply> {
  try {
    const response = await request(url, {
      method,
      dispatcher: agent,
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.body.text()
    const isJson = /^application\/(problem\+)?json\b/.test(String(response.headers['content-type']))
    return {
      status: response.statusCode,
      body: isJson ? (JSON.parse(text) as Reply['body']) : {},
      headers: response.headers,
    }
  } catch (cause) {
    return { status: 0, body: { cause: String(cause) }, headers: {} }
  }
}

/**
 * A few clients create a hundred groups in a tenth of a second; the rest is for pauses that the tests allow.
 */
const MORE_MS = 30_000

export const groupUrl = (base: string, groupId: string) => `${base}/v1/group/${encodeURIComponent(groupId)}`

export const create = (base: string, groupId: string) => call('POST', `${base}/v1/group`, { groupId })
export const read = (base: string, groupId: string) => call('GET', groupUrl(base, groupId))
export const remove = (base: string, groupId: string) => call('DELETE', groupUrl(base, groupId))

/** Between two creates of a client, while no test waits for more of them. */
const PAUSE_MS = 100

/**
 * Creates groups from `clients` loops until stopped; `await using` stops it with its test, however that ends.
 *
 * Each client creates group after group while a test waits for more of them, and pauses between two of them
 * otherwise: so the cores are free for other work of the test.
 */
export class CreateLoad {
  readonly #base: string
  readonly #prefix: string
  readonly #loops: Promise<void>[]
  readonly #pauseMs: number
  #isStopped = false
  #stopsOnFailure = false
  #count = 0
  #waiting = 0
  /** Ids answered 201, in that order. */
  readonly created: string[] = []
  /** When each of them was answered, by `performance.now()`. */
  readonly successTimesMs: number[] = []
  /** Every other answer. */
  readonly failed: { groupId: string; reply: Reply }[] = []

  /** @param pauseMs 0: the clients never pause */
  constructor(base: string, prefix: string, clients: number, pauseMs = PAUSE_MS) {
    this.#base = base
    this.#prefix = prefix
    this.#pauseMs = pauseMs
    this.#loops = Array.from({ length: clients }, () => this.#loop())
  }

  /** Waits until this many more creates have been answered 201 from now on. */
  async untilMore(count: number, ms = MORE_MS): Promise<void> {
    const target = this.created.length + count
    const explain = () =>
      `${target - this.created.length} are missing; failed: ${JSON.stringify(this.failed.slice(0, 3))}`
    this.#waiting += 1
    try {
      await until(`${count} more groups are created`, ms, () => this.created.length >= target, explain)
    } finally {
      this.#waiting -= 1
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#loops)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** For a connector that goes away: every client goes on until it is refused, then the load ends. */
  async stopAfterFailure(): Promise<void> {
    this.#stopsOnFailure = true
    await Promise.all(this.#loops)
  }

  async #loop(): Promise<void> {
    while (!this.#isStopped) {
      this.#count += 1
      const groupId = `${this.#prefix}-${this.#count}`
      const reply = await create(this.#base, groupId)
      if (reply.status === 201) {
        this.created.push(groupId)
        this.successTimesMs.push(performance.now())
      } else {
        this.failed.push({ groupId, reply })
        if (this.#stopsOnFailure) return
      }
      if (this.#waiting === 0 && !this.#isStopped && this.#pauseMs > 0) await sleep(this.#pauseMs)
    }
  }
}

/** So many changes that a slow machine makes them within the timeout of a request. */
const BATCH_MAX = 200

type Change = Readonly<{ groupId: string; [key: string]: unknown }>

/**
 * Makes changes in batches, which take a fraction of the time of single requests, and asserts that each has
 * been made.
 */
export async function changeAll(
  base: string,
  kind: 'create' | 'update' | 'delete',
  changes: readonly Change[],
): Promise<void> {
  for (let start = 0; start < changes.length; start += BATCH_MAX) {
    const batch = { [kind]: changes.slice(start, start + BATCH_MAX) }
    const { status, body } = await call('POST', `${base}/v1/groups:batch`, batch)
    assert.equal(status, 200, JSON.stringify(body))
    const outcomes = body[kind] as { status: number }[]
    const made = kind === 'create' ? 201 : 200
    assert.deepEqual(
      outcomes.filter((outcome) => outcome.status !== made),
      [],
    )
  }
}

/** Does something with each of `groupIds`, `clients` at a time. */
export async function forEach(
  groupIds: readonly string[],
  act: (groupId: string) => Promise<unknown>,
  clients = 16,
): Promise<void> {
  const queue = [...groupIds]
  const loops = Array.from({ length: clients }, async () => {
    for (let groupId = queue.pop(); groupId !== undefined; groupId = queue.pop()) await act(groupId)
  })
  await Promise.all(loops)
}

/** Of `groupIds`, those that the connector does not answer with 200. */
export async function missingOf(base: string, groupIds: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  await forEach(groupIds, async (groupId) => {
    if ((await read(base, groupId)).status !== 200) missing.push(groupId)
  })
  return missing
}
