/**
 * Registers in a table: a row for each. A change is one statement, a compare-and-set on the generation of the
 * row, and so a transaction of its own. When a connection breaks while a change is out, this file finds out
 * what became of the change, on whichever server is the primary then.
 */
import { randomBytes } from 'node:crypto'
import type { Outcome } from '../../group/registry.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import type { Durability } from './durability.ts'
import { codeOf, DatabaseProblem, diskFull, isUndone, problemOf } from './problems.ts'
import { LateAnswerError, type Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { FENCE_ABSENT, FENCE_ROW, INSERT, READ, SCAN, UPDATE, WRITE_IDS_KEPT } from './statements.ts'

/** What a command decides about the bytes of a register. */
export type RowDecision<R> =
  | Readonly<{ kind: 'keep'; result: R }>
  /** `value`: the new bytes; `undefined`: none, the row becomes a tombstone. */
  | Readonly<{ kind: 'write'; value: Uint8Array | undefined; result: R }>

export type Decide<R> = (value: Uint8Array | undefined) => RowDecision<R>

export type KeyedValue = Readonly<{ key: string; value: Uint8Array }>

/** Keys from `start` on, after `after` (empty: no matter), and before `end`. `limit`: how many at most. */
export type RowRange = Readonly<{ start: string; after: string; end: string; limit: number }>

/** The bytes of a register cannot be read. A command throws it. */
export class UnreadableRowError extends Error {
  override name = 'UnreadableRowError'
}

export type RegisterStoreOptions = Readonly<{
  sessions: Sessions
  clock: Pick<Clock, 'nowMs' | 'after'>
  /** The longest time of an operation, in milliseconds. */
  timeoutMs: number
  /** Why no change may be made at the moment, by a session or by any. `undefined`: changes may be made. */
  whyClosed: Durability['whyClosed']
}>

/** A row. Without one the generation is 0. */
type Row = Readonly<{ value: Uint8Array | undefined; generation: number; writeIds: readonly string[] }>

const ABSENT: Row = { value: undefined, generation: 0, writeIds: [] }

/** What became of a change. `failed`: the server has undone it. */
type Attempt =
  | Readonly<{ kind: 'applied' | 'conflict' | 'unknown' }>
  | Readonly<{ kind: 'failed'; reason: string; mayRepeat: boolean }>

/** The share of an operation's time that one answer may take. The rest is for finding out what happened. */
const ANSWER_SHARE = 0.6
/** How often it asks whether changes may be made. */
const POLL_MS = 20
const LATE = 'the database did not answer in time'
const NO_TRACE = 'the connection to the database broke, and there was no time to tell'

export class RegisterStore {
  readonly #options: RegisterStoreOptions
  readonly #writer = randomBytes(8).toString('hex')
  #writeCount = 0
  /** How often an answer was lost, and what became of the change. */
  readonly resolved = { applied: 0, not_applied: 0, unknown: 0 }
  /** Why the server has refused the last change; `undefined`: it was made. */
  writeFault: string | undefined

  constructor(options: RegisterStoreOptions) {
    this.#options = options
  }

  async read<T>(key: string, decode: (value: Uint8Array | undefined) => T): Promise<Outcome<T>> {
    const row = await this.#reading(this.#untilMs(), (session, limitMs) => readRow(session, key, limitMs))
    if (row.kind !== 'done') return row
    try {
      return { kind: 'done', value: decode(row.value.value) }
    } catch (error) {
      return unreadable(error)
    }
  }

  /** Rows with values, in the order of their keys' bytes. */
  async scan({ start, after, end, limit }: RowRange): Promise<Outcome<KeyedValue[]>> {
    return this.#reading(this.#untilMs(), async (session, limitMs) => {
      const { rows } = await session.run(SCAN, [start, after, end, limit], limitMs)
      return rows as unknown as KeyedValue[]
    })
  }

  async change<R>(key: string, decide: Decide<R>): Promise<Outcome<R>> {
    const untilMs = this.#untilMs()
    try {
      // A command that writes where nothing is, as a create does, needs no read before it.
      let row = ABSENT
      let decision = decide(undefined)
      let isRead = false
      for (;;) {
        if (!isRead && decision.kind === 'keep') {
          const read = await this.#reading(untilMs, (session, limitMs) => readRow(session, key, limitMs))
          if (read.kind !== 'done') return read
          row = read.value
          decision = decide(row.value)
        }
        if (decision.kind === 'keep') return { kind: 'done', value: decision.result }
        const closed = await this.#whyClosed(untilMs)
        if (closed !== undefined) return { kind: 'not_applied', reason: withoutStop(closed) }
        const attempt = await this.#write(key, row, decision.value, untilMs)
        if (attempt.kind === 'applied') return { kind: 'done', value: decision.result }
        if (attempt.kind === 'unknown') return { kind: 'unknown', reason: NO_TRACE }
        if (attempt.kind === 'failed' && !attempt.mayRepeat) {
          return { kind: 'not_applied', reason: attempt.reason }
        }
        const read = await this.#reading(untilMs, (session, limitMs) => readRow(session, key, limitMs))
        if (read.kind !== 'done') return read
        row = read.value
        decision = decide(row.value)
        isRead = true
      }
    } catch (error) {
      return unreadable(error)
    }
  }

  /** Writes a row once, and finds out what became of that. */
  async #write(key: string, row: Row, value: Uint8Array | undefined, untilMs: number): Promise<Attempt> {
    this.#writeCount += 1
    const writeId = `${this.#writer}.${this.#writeCount.toString(36)}`
    let session: Session
    try {
      session = await this.#options.sessions.acquire(untilMs)
    } catch (error) {
      return { kind: 'failed', reason: this.#reasonOf(error), mayRepeat: false }
    }
    const closed = await this.#whyClosed(untilMs, session)
    if (closed !== undefined) {
      this.#options.sessions.release(session)
      return { kind: 'failed', reason: withoutStop(closed), mayRepeat: false }
    }
    const warnings = session.warningCount
    try {
      const restMs = untilMs - this.#options.clock.nowMs()
      const deadline = session.serverSeconds(untilMs)
      const bytes = value === undefined ? null : Buffer.from(value)
      const { rowCount } =
        row.generation === 0
          ? await session.run(INSERT, [key, bytes, writeId, deadline], restMs * ANSWER_SHARE)
          : await session.run(UPDATE, [key, bytes, writeId, row.generation, deadline], restMs * ANSWER_SHARE)
      this.writeFault = undefined
      if (session.warningCount === warnings) return { kind: rowCount === 1 ? 'applied' : 'conflict' }
      if (rowCount === 0) return { kind: 'conflict' }
    } catch (error) {
      if (isUndone(error)) return this.#refused(session, error)
      session.broken ??= error as Error
    } finally {
      this.#options.sessions.release(session)
    }
    return this.#resolve(key, row, writeId, untilMs)
  }

  /** The server has undone the change, and says why. */
  #refused(session: Session, error: unknown): Attempt {
    const code = codeOf(error)
    // Two changes at once: decide again.
    if (code === '40001' || code === '40P01') return { kind: 'conflict' }
    if (code === '25006') session.broken = error as Error
    const isFull = code === '53100'
    const reason = isFull ? diskFull(session.address) : problemOf(error, this.#placeOf(session)).message
    if (isFull) this.writeFault = reason
    return { kind: 'failed', reason: withoutStop(reason), mayRepeat: code === '25006' }
  }

  /**
   * Whether a change without an answer was made. Its write id in the row says that it was. If the row is as
   * it was before, a fence moves its generation on, so that the change cannot be made any more; or the fence
   * waits for the lock that the change holds, and the next look shows the change.
   */
  async #resolve(key: string, before: Row, writeId: string, untilMs: number): Promise<Attempt> {
    const { sessions, clock } = this.#options
    while (clock.nowMs() < untilMs) {
      let session: Session
      try {
        session = await sessions.acquire(untilMs)
      } catch {
        break
      }
      const limitMs = () => untilMs - clock.nowMs()
      try {
        const row = await readRow(session, key, limitMs())
        if (row.writeIds.includes(writeId)) {
          // The row may be seen before a standby has it: the wait of the change was cut short.
          await session.confirm(limitMs())
          this.resolved.applied += 1
          return { kind: 'applied' }
        }
        if (row.generation > before.generation) {
          if (row.generation - before.generation > WRITE_IDS_KEPT) break
          return this.#didNotHappen()
        }
        const deadline = session.serverSeconds(untilMs)
        const fenceId = `${writeId}-fence`
        const { rowCount } =
          row.generation === 0
            ? await session.run(FENCE_ABSENT, [key, fenceId, deadline], limitMs())
            : await session.run(FENCE_ROW, [key, fenceId, row.generation, deadline], limitMs())
        if (rowCount === 1) return this.#didNotHappen()
      } catch (error) {
        if (!isUndone(error)) session.broken ??= error as Error
      } finally {
        sessions.release(session)
      }
    }
    this.resolved.unknown += 1
    return { kind: 'unknown' }
  }

  #didNotHappen(): Attempt {
    this.resolved.not_applied += 1
    return { kind: 'conflict' }
  }

  /** Reads, and repeats that on another session when a connection breaks. */
  async #reading<T>(
    untilMs: number,
    read: (session: Session, limitMs: number) => Promise<T>,
  ): Promise<Outcome<T>> {
    const { sessions, clock } = this.#options
    for (;;) {
      const restMs = untilMs - clock.nowMs()
      if (restMs <= 0) return { kind: 'not_applied', reason: LATE }
      let session: Session
      try {
        session = await sessions.acquire(untilMs)
      } catch (error) {
        return { kind: 'not_applied', reason: this.#reasonOf(error) }
      }
      try {
        return { kind: 'done', value: await read(session, restMs * ANSWER_SHARE) }
      } catch (error) {
        if (isUndone(error)) {
          const { message } = problemOf(error, this.#placeOf(session))
          return { kind: 'not_applied', reason: withoutStop(message) }
        }
        session.broken ??= error as Error
      } finally {
        sessions.release(session)
      }
    }
  }

  /** Why no change may be made, when that is certain or the time is up. */
  async #whyClosed(untilMs: number, session?: Session): Promise<string | undefined> {
    const { whyClosed, clock } = this.#options
    for (;;) {
      const closed = whyClosed(session)
      if (closed === undefined) return undefined
      if (!closed.isPassing || clock.nowMs() >= untilMs || session?.broken !== undefined) return closed.reason
      await sleep(POLL_MS, clock)
    }
  }

  #untilMs(): number {
    return this.#options.clock.nowMs() + this.#options.timeoutMs
  }

  #placeOf({ address }: Session) {
    return { ...this.#options.sessions.place(), address }
  }

  #reasonOf(error: unknown): string {
    return error instanceof DatabaseProblem || error instanceof LateAnswerError
      ? withoutStop(error.message)
      : LATE
  }
}

async function readRow(session: Session, key: string, limitMs: number): Promise<Row> {
  const { rows } = await session.run(READ, [key], limitMs)
  const row = rows[0] as unknown as
    | Readonly<{ value: Uint8Array | null; generation: string; write_ids: string[] }>
    | undefined
  if (row === undefined) return ABSENT
  return { value: row.value ?? undefined, generation: Number(row.generation), writeIds: row.write_ids }
}

function unreadable(error: unknown): Outcome<never> {
  if (!(error instanceof UnreadableRowError)) throw error
  return { kind: 'unreadable', reason: error.message }
}

/** A sentence as a part of another one. */
function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '')
}

/** What the bytes are. @throws UnreadableRowError with this sentence, without its stop */
export function decodeOrThrow<T>(
  value: Uint8Array | undefined,
  decode: (bytes: Uint8Array) => T,
  sentence: string,
): T | undefined {
  if (value === undefined) return undefined
  try {
    return decode(value)
  } catch (cause) {
    throw new UnreadableRowError(sentence, { cause })
  }
}

/** `undefined`: the bytes cannot be read. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadableRowError) return undefined
    throw error
  }
}
