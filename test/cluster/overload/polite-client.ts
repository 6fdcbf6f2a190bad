import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a client has seen that sends little. Times are in milliseconds. */
export type PoliteResult = Readonly<{
  requests: number
  /** Requests that were not answered as they must be, with the first few answers. */
  failed: number
  failures: readonly string[]
  p50Ms: number
  p99Ms: number
  worstMs: number
}>

/** The time between the answer to a request and the next request. */
const PAUSE_MS = 40
const ANSWER_MS = 10_000

/**
 * A client that creates a group and reads it, again and again, one request at a time, on one connection. A
 * refused request counts with the time of its refusal, and as failed.
 */
export class PoliteClient {
  readonly #base: Readonly<{ port: number; prefix: string; localAddress: string }>
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #times: number[] = []
  readonly #failures: string[] = []
  readonly #done: Promise<void>
  #isStopped = false

  constructor(base: Readonly<{ port: number; prefix: string; localAddress: string }>) {
    this.#base = base
    this.#done = this.#run()
  }

  async stop(): Promise<PoliteResult> {
    this.#isStopped = true
    await this.#done
    this.#agent.destroy()
    const times = this.#times.toSorted((a, b) => a - b)
    const at = (part: number) => Math.round(times[Math.floor((times.length - 1) * part)] ?? 0)
    return {
      requests: times.length,
      failed: this.#failures.length,
      failures: this.#failures.slice(0, 3),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      worstMs: at(1),
    }
  }

  async #run(): Promise<void> {
    for (let count = 1; !this.#isStopped; count += 1) {
      const groupId = `${this.#base.prefix}-${count}`
      await this.#send('POST', '/v1/group', 201, JSON.stringify({ groupId }))
      await sleep(PAUSE_MS)
      await this.#send('GET', `/v1/group/${groupId}`, 200)
      await sleep(PAUSE_MS)
    }
  }

  async #send(method: string, path: string, expected: number, body?: string): Promise<void> {
    const startMs = performance.now()
    const answer = await this.#ask(method, path, body)
    const ms = performance.now() - startMs
    this.#times.push(ms)
    if (answer.status === expected) return
    this.#failures.push(`${method} ${path}, after ${Math.round(ms)} ms: ${answer.status} ${answer.body}`)
  }

  #ask(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const { port, localAddress } = this.#base
    return new Promise((resolve) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const options = { host: '127.0.0.1', port, localAddress, agent: this.#agent, method, path, headers }
      const sent = request({ ...options, timeout: ANSWER_MS }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, body: text }))
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer')))
      sent.on('error', (error) => resolve({ status: 0, body: String(error) }))
      sent.end(body)
    })
  }
}
