/** Makes a call: sends a request to one connector after the other, as often as is safe and useful. */
import { randomUUID } from 'node:crypto'
import type { Endpoint, Request, Sent } from './endpoint.ts'
import type { Endpoints } from './endpoints.ts'
import type { Cause, ChangeOf, NotApplied, Outcome, ReadOf, Unknown } from './outcome.ts'
import type { OperationId } from './types.ts'

/** What every call takes. What is left out is as the client was made. */
export type CallOptions = Readonly<{
  /** When it aborts, the call rejects with its reason. A change that was sent may be made. */
  signal?: AbortSignal | undefined
  /**
   * How long, in milliseconds, the request is repeated. 0: each connector is asked at most once. The last
   * request may take `answerTimeoutMs` more.
   */
  patienceMs?: number | undefined
  /** How long to wait for an answer, and between its parts. It is more than the TIMEOUT of the connector. */
  answerTimeoutMs?: number | undefined
}>

/** What calls take which send an idempotency key. */
export type KeyedOptions = CallOptions &
  Readonly<{
    /** Default: a new one for each call. `false`: none; the request is not repeated when it may be done. */
    idempotencyKey?: string | false | undefined
    /** An earlier call with the same key, whose outcome this one shall find out. */
    after?: Unknown | undefined
  }>

/**
 * When a request may be sent again although it may have been done: never; because it is `idempotent`, so that
 * twice has the effect of once; or because it has a key by which the group knows it.
 */
export type Repeats = 'never' | 'idempotent' | 'keyed'

export type CallerOptions = Readonly<{
  endpoints: Endpoints
  patienceMs: number
  answerTimeoutMs: number
  nowMs: () => number
}>

export class Caller {
  readonly #options: CallerOptions

  constructor(options: CallerOptions) {
    this.#options = options
  }

  get endpoints(): Endpoints {
    return this.#options.endpoints
  }

  /** Sends a request that changes nothing. @throws the reason of the signal */
  async read<O extends OperationId>(path: string, options: CallOptions): Promise<ReadOf<O>> {
    return (await this.#call({ method: 'GET', path }, { ...options, repeats: 'idempotent' })) as ReadOf<O>
  }

  /** Sends a change. @throws the reason of the signal */
  async change<O extends OperationId>(
    request: Request,
    options: CallOptions & Readonly<{ repeats: Repeats }>,
  ): Promise<ChangeOf<O>> {
    return (await this.#call(request, options)) as ChangeOf<O>
  }

  /** Sends a change with an idempotency key. @throws the reason of the signal */
  keyed<O extends OperationId>(
    request: Request,
    { idempotencyKey = randomUUID(), ...options }: KeyedOptions,
    repeats: 'keyed' | 'never' = 'keyed',
  ): Promise<ChangeOf<O>> {
    if (idempotencyKey === false) return this.change(request, { ...options, repeats: 'never' })
    const headers = { ...request.headers, 'idempotency-key': idempotencyKey }
    return this.change({ ...request, headers }, { ...options, repeats })
  }

  async #call(
    request: Request,
    { signal, repeats, after, ...options }: KeyedOptions & Readonly<{ repeats: Repeats }>,
  ): Promise<Outcome<unknown>> {
    const { endpoints, nowMs } = this.#options
    const { patienceMs = this.#options.patienceMs, answerTimeoutMs = this.#options.answerTimeoutMs } = options
    const isRead = request.method === 'GET'
    const untilMs = nowMs() + patienceMs
    const asked = new Set<Endpoint>()
    let open = after
    let last: NotApplied | undefined
    while (true) {
      signal?.throwIfAborted()
      const endpoint = await endpoints.next({ asked, untilMs, signal })
      if (endpoint === undefined) return open ?? last ?? CLOSED
      asked.add(endpoint)
      const sent = await endpoint.send(request, { signal, answerTimeoutMs })
      const outcome = judge(sent, isRead)
      if (outcome.outcome === 'done' || outcome.outcome === 'refused') {
        endpoint.succeed()
        endpoints.prefer(endpoint)
        return open === undefined ? outcome : afterOpen(open, outcome, repeats)
      }
      endpoint.rest(nowMs(), sent.outcome === 'failed' ? sent.retryAfterMs : undefined)
      if (outcome.outcome === 'not_applied') last = outcome
      else open = outcome
      if (open !== undefined && repeats === 'never') return open
    }
  }
}

/** What a reply means. After an error page of a proxy, a change may have been made. */
function judge(sent: Sent, isRead: boolean): Outcome<unknown> {
  if (sent.outcome === 'done') return sent
  const { cause, url } = sent
  if (cause.kind === 'unsent') return { outcome: 'not_applied', cause, url }
  if (cause.kind === 'unanswered') return { outcome: isRead ? 'not_applied' : 'unknown', cause, url }
  const { problem, text } = cause
  const { status, outcome, code } = problem
  const isPassing = PASSING.includes(status) && !code.startsWith('unreadable_')
  if (isRead)
    return isPassing ? { outcome: 'not_applied', cause, url } : { outcome: 'refused', problem, text, url }
  if (outcome === 'unknown' || (outcome === undefined && status >= 500))
    return { outcome: 'unknown', cause, url }
  return isPassing ? { outcome: 'not_applied', cause, url } : { outcome: 'refused', problem, text, url }
}

/** Statuses after which the same request may succeed. */
const PASSING: readonly number[] = [408, 429, 500, 502, 503, 504]

/**
 * The outcome of a call of which an earlier request may have been done, now that one is answered. With a key,
 * some refusals show that the group does not know the request, so it was not made.
 */
function afterOpen(
  open: Unknown,
  answer: Extract<Outcome<unknown>, { outcome: 'done' | 'refused' }>,
  repeats: Repeats,
): Outcome<unknown> {
  if (answer.outcome === 'done') return answer
  const isTold = repeats === 'keyed' && TELLING.includes(answer.problem.status)
  return isTold ? answer : { ...open, refusal: answer.problem }
}

/** Refusals that a group gives after it has looked for the idempotency key. */
const TELLING: readonly number[] = [409, 412, 422]

const CLOSED_CAUSE: Cause = { kind: 'unsent', failure: 'closed_client', message: 'the client is closed' }
const CLOSED: NotApplied = { outcome: 'not_applied', cause: CLOSED_CAUSE, url: '' }
