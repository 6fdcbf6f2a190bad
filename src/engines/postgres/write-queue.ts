/**
 * Writes of many callers in few statements: while some statements are out, the writes that arrive wait, and
 * go together in the next one. Each row of a statement is decided for itself; they share the commit, for
 * which the primary waits for its disk and for the standbys.
 */
import type { Clock } from '../../process/clock.ts'
import { codeOf, DatabaseProblem, diskFull, isUndone, problemOf, withoutStop } from './problems.ts'
import type { RowKey, RowTable } from './row-table.ts'
import { LateAnswerError, type Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** A compare-and-set of one row. */
export type RowWrite = Readonly<{
  table: RowTable
  key: RowKey
  /** `undefined`: the row becomes a tombstone. */
  value: Uint8Array | undefined
  writeId: string
  /** The generation that the row has. 0: there is no row. */
  generation: number
  untilMs: number
}>

/** What became of a write. */
export type WriteResult =
  /** `conflict`: the row has another generation, and nothing was changed. */
  | Readonly<{ kind: 'applied' | 'conflict' }>
  /** It may have been made: the answer was lost, or the wait for the standbys was cut short. */
  | Readonly<{ kind: 'lost' }>
  /** Nothing was changed. `reason` is a sentence without its stop. */
  | Readonly<{ kind: 'failed'; reason: string; mayRepeat: boolean }>

export type WriteQueueOptions = Readonly<{
  sessions: Pick<Sessions, 'acquire' | 'release' | 'place'>
  clock: Pick<Clock, 'nowMs' | 'after' | 'defer'>
  /** Why no change may be made by a session, when that is certain or the time is up. */
  whyClosed: (untilMs: number, session: Session) => Promise<string | undefined>
}>

type Waiting = Readonly<{ write: RowWrite; resolve: (result: WriteResult) => void }>

/**
 * How many statements are out at once: one waits for its commit while the next one is filled. With more of
 * them, each has fewer rows, and the servers and the connector need more CPU for each row.
 */
const STATEMENTS_MAX = 2
const ROWS_MAX = 128
const BYTES_MAX = 1024 * 1024
/** The share of an operation's time that one answer may take. The rest is for finding out what happened. */
export const ANSWER_SHARE = 0.6
export const LATE = 'the database did not answer in time'

export class WriteQueue {
  readonly #options: WriteQueueOptions
  #waiting: Waiting[] = []
  #out = 0
  #isDeferred = false
  #cancelExpiry: (() => void) | undefined
  /** Why the server has refused the last statement; `undefined`: it was run. */
  fault: string | undefined

  constructor(options: WriteQueueOptions) {
    this.#options = options
  }

  /** Never rejects but because of a bug. */
  write(write: RowWrite): Promise<WriteResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ write, resolve })
      // At the end of the turn, so that the requests that have arrived with this one go together.
      if (this.#isDeferred) return
      this.#isDeferred = true
      this.#options.clock.defer(() => {
        this.#isDeferred = false
        this.#pump()
      })
    })
  }

  #pump(): void {
    this.#expire()
    while (this.#out < STATEMENTS_MAX && this.#waiting.length > 0) {
      this.#out += 1
      void this.#runOne(this.#take()).finally(() => {
        this.#out -= 1
        this.#pump()
      })
    }
  }

  /** Writes that were not sent in time were not made. */
  #expire(): void {
    const { clock } = this.#options
    const nowMs = clock.nowMs()
    const isLate = ({ write }: Waiting) => write.untilMs <= nowMs
    for (const { resolve } of this.#waiting.filter(isLate)) {
      resolve({ kind: 'failed', reason: LATE, mayRepeat: false })
    }
    this.#waiting = this.#waiting.filter((waiting) => !isLate(waiting))
    this.#cancelExpiry?.()
    const [next] = this.#waiting
    this.#cancelExpiry = next && clock.after(next.write.untilMs - nowMs, () => this.#pump())
  }

  /** The oldest write, and those that can go with it: in one statement no two are for the same row. */
  #take(): Waiting[] {
    const first = this.#waiting[0]!.write
    const taken: Waiting[] = []
    const rest: Waiting[] = []
    const keys = new Set<string>()
    let bytes = 0
    for (const waiting of this.#waiting) {
      const { table, generation, key, value } = waiting.write
      const name = key.join('\0')
      const isAlike = table === first.table && (generation === 0) === (first.generation === 0)
      if (isAlike && !keys.has(name) && taken.length < ROWS_MAX && bytes < BYTES_MAX) {
        keys.add(name)
        bytes += value?.length ?? 0
        taken.push(waiting)
      } else rest.push(waiting)
    }
    this.#waiting = rest
    return taken
  }

  async #runOne(batch: readonly Waiting[]): Promise<void> {
    const refusal = await this.#send(batch)
    if (refusal === undefined) return
    // One of them may be the cause, or wait for a lock: the others are made without it.
    const isShared = batch.length > 1 && refusal.kind === 'failed' && this.fault === undefined
    if (!isShared) return settle(batch, refusal)
    for (const waiting of batch) {
      const alone = await this.#send([waiting])
      if (alone !== undefined) settle([waiting], alone)
    }
  }

  /** Sends writes in one statement, and resolves them; or returns why the server has undone all of them. */
  async #send(batch: readonly Waiting[]): Promise<WriteResult | undefined> {
    const { sessions, clock, whyClosed } = this.#options
    const untilMs = Math.max(...batch.map(({ write }) => write.untilMs))
    let session: Session
    try {
      session = await sessions.acquire(untilMs)
    } catch (error) {
      settle(batch, { kind: 'failed', reason: reasonOf(error), mayRepeat: false })
      return undefined
    }
    const warnings = session.warningCount
    try {
      const closed = await whyClosed(untilMs, session)
      if (closed !== undefined) {
        settle(batch, { kind: 'failed', reason: withoutStop(closed), mayRepeat: false })
        return undefined
      }
      const { statement, values } = statementOf(batch, session.serverSeconds(untilMs))
      const { rows } = await session.run(statement, values, (untilMs - clock.nowMs()) * ANSWER_SHARE)
      this.fault = undefined
      const made = new Set((rows as unknown as { write_id: string }[]).map(({ write_id }) => write_id))
      // A warning says that the wait for the standbys has ended early.
      const madeKind = session.warningCount === warnings ? 'applied' : 'lost'
      for (const { write, resolve } of batch) {
        resolve({ kind: made.has(write.writeId) ? madeKind : 'conflict' })
      }
      return undefined
    } catch (error) {
      if (isUndone(error)) return this.#refused(session, error)
      session.broken ??= error as Error
      settle(batch, { kind: 'lost' })
      return undefined
    } finally {
      sessions.release(session)
    }
  }

  /** The server has undone a statement, and says why. */
  #refused(session: Session, error: unknown): WriteResult {
    const code = codeOf(error)
    // Two changes at once: decide again.
    if (code === '40001' || code === '40P01') return { kind: 'conflict' }
    if (code === '25006') session.broken = error as Error
    const isFull = code === '53100'
    const place = { ...this.#options.sessions.place(), address: session.address }
    const reason = isFull ? diskFull(session.address) : problemOf(error, place).message
    this.fault = isFull ? reason : undefined
    return { kind: 'failed', reason: withoutStop(reason), mayRepeat: code === '25006' }
  }
}

function settle(batch: readonly Waiting[], result: WriteResult): void {
  for (const { resolve } of batch) resolve(result)
}

/** In the order of the keys, so that no two statements wait for each other. */
function statementOf(batch: readonly Waiting[], deadline: number) {
  const writes = batch
    .map(({ write }) => write)
    .sort((a, b) => (a.key.join('\0') < b.key.join('\0') ? -1 : 1))
  const { table, key, generation } = writes[0]!
  const keys = key.map((_, column) => writes.map((write) => write.key[column]))
  const bytes = writes.map(({ value }) => (value === undefined ? null : Buffer.from(value)))
  const values = [...keys, bytes, writes.map(({ writeId }) => writeId)]
  if (generation === 0) return { statement: table.insert, values: [...values, deadline] }
  return { statement: table.update, values: [...values, writes.map((write) => write.generation), deadline] }
}

/** Why there is no session, as a sentence without its stop. */
export function reasonOf(error: unknown): string {
  return error instanceof DatabaseProblem || error instanceof LateAnswerError
    ? withoutStop(error.message)
    : LATE
}
