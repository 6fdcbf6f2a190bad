/**
 * A program that asks a connector for more than it can do, in a process of its own: `flood.ts PORT OPTIONS`,
 * with options as JSON. It prints what was answered, as JSON.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type FloodOptions = Readonly<{
  kind: 'create' | 'list' | 'restore'
  /** Begins the ids of the groups. */
  prefix: string
  connections: number
  /** Requests in a second, of all connections together. `null`: as many as are answered. */
  perSecond: number | null
  /** How many requests of one connection may be unanswered. */
  pipelined: number
  /** When to stop sending: after this time, or after this many requests. */
  seconds: number
  requests: number | null
}>

export type FloodResult = Readonly<{
  sent: number
  /**
   * How many requests were not sent in their time, because their connections had too many unanswered ones.
   */
  held: number
  /** Answers by status. 503 counts as `overloaded` if its code is that. */
  answers: Record<string, number>
  /** Requests without an answer when the connections were closed. */
  unanswered: number
  /** Connections that broke, by the reason. */
  broken: Record<string, number>
  /** How long it took from the first request to the last answer. */
  seconds: number
  /** The 99th percentile of the time to an answer, in milliseconds. */
  p99Ms: number
  /** Some ids of creates, by what was answered. */
  created: string[]
  refused: string[]
  /** The first answers that are neither right nor a refusal. */
  wrong: string[]
}>

/**
 * How long to wait for the last answers. The connector reads what was sent ahead only after it has answered
 * what was sent before.
 */
const PATIENCE_MS = 90_000
const TICK_MS = 10
/** One in so many ids is kept for each answer. */
const SAMPLE = 20
const GROUPS_PER_RESTORE = 256
const EXPECTED = { create: 201, list: 200, restore: 200 }

type OnAnswer = (status: number, body: string, id: string, ms: number) => void

class Client {
  readonly #socket: Socket
  readonly #onAnswer: OnAnswer
  readonly #sent: { id: string; atMs: number }[] = []
  #rest = ''
  /** Why the connection has ended. */
  brokenBy: string | undefined

  constructor(socket: Socket, onAnswer: OnAnswer) {
    this.#socket = socket
    this.#onAnswer = onAnswer
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#receive(this.#rest + text))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.brokenBy = error.code ?? error.message
    })
    socket.on('close', () => {
      this.brokenBy ??= 'closed by the connector'
    })
  }

  get isBroken(): boolean {
    return this.brokenBy !== undefined
  }

  get pending(): number {
    return this.#sent.length
  }

  send(text: string, id: string): void {
    this.#sent.push({ id, atMs: performance.now() })
    this.#socket.write(text)
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string): void {
    let at = 0
    for (;;) {
      const end = text.indexOf('\r\n\r\n', at)
      if (end === -1) break
      const head = text.slice(at, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (text.length < end + 4 + length) break
      const { id, atMs } = this.#sent.shift()!
      const body = text.slice(end + 4, end + 4 + length)
      at = end + 4 + length
      this.#onAnswer(Number(head.slice(9, 12)), body, id, performance.now() - atMs)
    }
    this.#rest = text.slice(at)
  }
}

function requestOf(kind: FloodOptions['kind'], id: string): string {
  const head = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nhost: x\r\n`
  if (kind === 'list') return `${head('GET', '/v1/group')}\r\n`
  const body = kind === 'create' ? JSON.stringify({ groupId: id }) : restoreBody(id)
  const path = kind === 'create' ? '/v1/group' : '/v1/restore'
  return `${head('POST', path)}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

function restoreBody(prefix: string): string {
  const time = '2026-01-01T00:00:00.000Z'
  const groups = Array.from({ length: GROUPS_PER_RESTORE }, (_, index) => ({
    groupId: `${prefix}-${index}`,
    description: 'd'.repeat(1_000),
    labels: Object.fromEntries(Array.from({ length: 8 }, (_, label) => [`k${label}`, 'v'.repeat(250)])),
    version: 1,
    incarnation: 'i',
    createdAt: time,
    updatedAt: time,
  }))
  return JSON.stringify({ groups })
}

/** Sends until the end, and waits for the answers. */
export async function flood(port: number, options: FloodOptions): Promise<FloodResult> {
  const { kind, prefix, connections, perSecond, pipelined, seconds, requests } = options
  const answers: Record<string, number> = {}
  const times: number[] = []
  const created: string[] = []
  const refused: string[] = []
  const wrong: string[] = []
  let sent = 0
  let answered = 0
  const onAnswer = (status: number, body: string, id: string, ms: number) => {
    answered += 1
    times.push(ms)
    const isRefusal = status === 503 && body.includes('"code":"overloaded"')
    const name = isRefusal ? 'overloaded' : String(status)
    answers[name] = (answers[name] ?? 0) + 1
    if (status === EXPECTED[kind]) {
      if (answered % SAMPLE === 0) created.push(id)
    } else if (isRefusal) {
      if (answered % SAMPLE === 0) refused.push(id)
    } else if (wrong.length < 5) wrong.push(`${status} ${body}`)
  }
  const clients: Client[] = []
  while (clients.length < connections) {
    // The system holds some hundred connections that the connector has not accepted yet.
    const some = Array.from({ length: Math.min(100, connections - clients.length) }, async () => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      await once(socket, 'connect')
      clients.push(new Client(socket, onAnswer))
    })
    await Promise.all(some)
  }
  const startMs = performance.now()
  const elapsed = () => (performance.now() - startMs) / 1_000
  let held = 0
  let turn = 0
  const sendOne = (client: Client) => {
    sent += 1
    const id = `${prefix}-${sent}`
    client.send(requestOf(kind, id), id)
  }
  let due = 0
  const max = requests ?? Number.POSITIVE_INFINITY
  while (elapsed() < seconds && sent < max) {
    if (perSecond === null) {
      for (const client of clients) {
        while (client.pending < pipelined && !client.isBroken && sent < max) sendOne(client)
      }
      await new Promise(setImmediate)
      continue
    }
    const target = Math.floor(perSecond * elapsed())
    for (; due < target; due += 1) {
      turn = (turn + 1) % clients.length
      const client = clients[turn]!
      if (client.pending >= pipelined || client.isBroken) held += 1
      else sendOne(client)
    }
    await sleep(TICK_MS)
  }
  const untilMs = performance.now() + PATIENCE_MS
  while (
    answered < sent &&
    performance.now() < untilMs &&
    clients.some(({ isBroken, pending }) => !isBroken && pending > 0)
  ) {
    await sleep(TICK_MS)
  }
  const tookSeconds = elapsed()
  const broken: Record<string, number> = {}
  for (const { brokenBy } of clients)
    if (brokenBy !== undefined) broken[brokenBy] = (broken[brokenBy] ?? 0) + 1
  for (const client of clients) client.close()
  times.sort((a, b) => a - b)
  return {
    sent,
    held,
    answers,
    unanswered: sent - answered,
    broken,
    seconds: tookSeconds,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    created,
    refused,
    wrong,
  }
}

if (import.meta.main) {
  const [port, options] = process.argv.slice(2)
  process.stdout.write(JSON.stringify(await flood(Number(port), JSON.parse(options!))))
}
