/**
 * Registers in tables: a row for each. A change is a compare-and-set on the generation of the row. When a
 * connection breaks while a change is out, this file finds out what became of the change, on whichever server
 * is the primary then.
 */
import { randomBytes } from 'node:crypto'
import type { Outcome } from '../../group/registry.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import type { Durability } from './durability.ts'
import { isUndone, problemOf, withoutStop } from './problems.ts'
import { ABSENT, type Row, type RowKey, type RowTable, readRow, WRITE_IDS_KEPT } from './row-table.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { ANSWER_SHARE, LATE, reasonOf, WriteQueue } from './write-queue.ts'

/** What a command decides about the bytes of a register. */
export type RowDecision<R> =
  | Readonly<{ kind: 'keep'; result: R }>
  /** `value`: the new bytes; `undefined`: none, the row becomes a tombstone. */
  | Readonly<{ kind: 'write'; value: Uint8Array | undefined; result: R }>

export type Decide<R> = (value: Uint8Array | undefined) => RowDecision<R>

/** A row, and the key with which it is written. */
export type RowAt = Readonly<{ key: RowKey; row: Row }>

/** What is to be changed. */
export type RowTarget = Readonly<{
  table: RowTable
  /** The key of the row, if it is known without a read. */
  key: RowKey | undefined
  /** `undefined`: there is no such row, and none can be made. */
  find: (session: Session, limitMs: number) => Promise<RowAt | undefined>
}>

/** The bytes of a register cannot be read. A command throws it. */
export class UnreadableRowError extends Error {
  override name = 'UnreadableRowError'
}

export type RowStoreOptions = Readonly<{
  sessions: Sessions
  clock: Pick<Clock, 'nowMs' | 'after' | 'defer'>
  /** The longest time of an operation, in milliseconds. */
  timeoutMs: number
  /** Why no change may be made at the moment, by a session or by any. `undefined`: changes may be made. */
  whyClosed: Durability['whyClosed']
}>

/** What became of a change. `failed`: the server has undone it. */
type Attempt =
  | Readonly<{ kind: 'applied' | 'conflict' | 'unknown' }>
  | Readonly<{ kind: 'failed'; reason: string; mayRepeat: boolean }>

/** How often it asks whether changes may be made. */
const POLL_MS = 20
const NO_TRACE = 'the connection to the database broke, and there was no time to tell'

export class RowStore {
  readonly #options: RowStoreOptions
  readonly #queue: WriteQueue
  readonly #writer = randomBytes(8).toString('hex')
  #writeCount = 0
  /** How often an answer was lost, and what became of the change. */
  readonly resolved = { applied: 0, not_applied: 0, unknown: 0 }

  constructor(options: RowStoreOptions) {
    this.#options = options
    this.#queue = new WriteQueue({
      sessions: options.sessions,
      clock: options.clock,
      whyClosed: (untilMs, session) => this.#whyClosed(untilMs, session),
    })
  }

  /** Why the server has refused the last change; `undefined`: it was made. */
  get writeFault(): string | undefined {
    return this.#queue.fault
  }

  /** Reads, and repeats that on another session when a connection breaks. */
  async read<T>(
    read: (session: Session, limitMs: number) => Promise<T>,
    untilMs = this.#untilMs(),
  ): Promise<Outcome<T>> {
    const { sessions, clock } = this.#options
    for (;;) {
      const restMs = untilMs - clock.nowMs()
      if (restMs <= 0) return { kind: 'not_applied', reason: LATE }
      let session: Session
      try {
        session = await sessions.acquire(untilMs)
      } catch (error) {
        return { kind: 'not_applied', reason: reasonOf(error) }
      }
      try {
        return { kind: 'done', value: await read(session, restMs * ANSWER_SHARE) }
      } catch (error) {
        if (error instanceof UnreadableRowError) return { kind: 'unreadable', reason: error.message }
        if (isUndone(error)) {
          const { message } = problemOf(error, { ...sessions.place(), address: session.address })
          return { kind: 'not_applied', reason: withoutStop(message) }
        }
        session.broken ??= error as Error
      } finally {
        sessions.release(session)
      }
    }
  }

  /** Runs a command on a row, and stores what it decides. `undefined`: there can be no such row. */
  async change<R>(target: RowTarget, decide: Decide<R>): Promise<Outcome<R | undefined>> {
    const untilMs = this.#untilMs()
    const { table, key, find } = target
    try {
      // A command that writes where nothing is, as a create does, needs no read before it.
      let at: RowAt | undefined = key && { key, row: ABSENT }
      let decision = decide(undefined)
      let isRead = false
      for (;;) {
        if (at === undefined || (!isRead && decision.kind === 'keep')) {
          const found = await this.read(find, untilMs)
          if (found.kind !== 'done') return found
          if (found.value === undefined) return { kind: 'done', value: undefined }
          at = found.value
          decision = decide(at.row.value)
          isRead = true
        }
        if (decision.kind === 'keep') return { kind: 'done', value: decision.result }
        const closed = await this.#whyClosed(untilMs)
        if (closed !== undefined) return { kind: 'not_applied', reason: withoutStop(closed) }
        const attempt = await this.#write(table, at, decision.value, untilMs)
        if (attempt.kind === 'applied') return { kind: 'done', value: decision.result }
        if (attempt.kind === 'unknown') return { kind: 'unknown', reason: NO_TRACE }
        if (attempt.kind === 'failed' && !attempt.mayRepeat) {
          return { kind: 'not_applied', reason: attempt.reason }
        }
        at = undefined
      }
    } catch (error) {
      if (!(error instanceof UnreadableRowError)) throw error
      return { kind: 'unreadable', reason: error.message }
    }
  }

  /** Writes a row once, and finds out what became of that. */
  async #write(
    table: RowTable,
    { key, row }: RowAt,
    value: Uint8Array | undefined,
    untilMs: number,
  ): Promise<Attempt> {
    this.#writeCount += 1
    const writeId = `${this.#writer}.${this.#writeCount.toString(36)}`
    const { generation } = row
    const result = await this.#queue.write({ table, key, value, writeId, generation, untilMs })
    return result.kind === 'lost' ? this.#resolve(table, { key, row }, writeId, untilMs) : result
  }

  /**
   * Whether a change without an answer was made. Its write id in the row says that it was. If the row is as
   * it was before, a fence moves its generation on, so that the change cannot be made any more; or the fence
   * waits for the lock that the change holds, and the next look shows the change.
   */
  async #resolve(
    table: RowTable,
    { key, row: before }: RowAt,
    writeId: string,
    untilMs: number,
  ): Promise<Attempt> {
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
        const row = await readRow(session, table, key, limitMs())
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
            ? await session.run(table.fenceAbsent, [...key, fenceId, deadline], limitMs())
            : await session.run(table.fenceRow, [...key, fenceId, row.generation, deadline], limitMs())
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
