/** Requests against the public API, and a steady load of creates that remembers what it was told. */
import { request } from 'undici'

/** What a request came to. `status` 0: the connection broke before an answer. */
export type Reply = Readonly<{
  status: number
  body: { [key: string]: unknown }
  headers: { [key: string]: unknown }
}>

export async function call(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH',
  url: string,
  body?: object,
): Promise<Reply> {
  try {
    const response = await request(url, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return {
      status: response.statusCode,
      body: (await response.body.json()) as Reply['body'],
      headers: response.headers,
    }
  } catch (cause) {
    return { status: 0, body: { cause: String(cause) }, headers: {} }
  }
}

export const groupUrl = (base: string, groupId: string) => `${base}/v1/group/${encodeURIComponent(groupId)}`

export const create = (base: string, groupId: string) => call('POST', `${base}/v1/group`, { groupId })
export const read = (base: string, groupId: string) => call('GET', groupUrl(base, groupId))
export const remove = (base: string, groupId: string) => call('DELETE', groupUrl(base, groupId))

/**
 * Creates groups from `clients` loops until stopped; `await using` stops it with its test, however that ends.
 */
export class CreateLoad {
  readonly #base: string
  readonly #prefix: string
  readonly #loops: Promise<void>[]
  #isStopped = false
  #stopsOnFailure = false
  #count = 0
  /** Ids answered 201, in that order. */
  readonly created: string[] = []
  /** When each of them was answered, by `performance.now()`. */
  readonly successTimesMs: number[] = []
  /** Every other answer. */
  readonly failed: { groupId: string; reply: Reply }[] = []

  constructor(base: string, prefix: string, clients: number) {
    this.#base = base
    this.#prefix = prefix
    this.#loops = Array.from({ length: clients }, () => this.#loop())
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
    }
  }
}

/** Of `groupIds`, those that the connector does not answer with 200. */
export async function missingOf(base: string, groupIds: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  const queue = [...groupIds]
  const loops = Array.from({ length: 16 }, async () => {
    for (let groupId = queue.pop(); groupId !== undefined; groupId = queue.pop()) {
      if ((await read(base, groupId)).status !== 200) missing.push(groupId)
    }
  })
  await Promise.all(loops)
  return missing
}
