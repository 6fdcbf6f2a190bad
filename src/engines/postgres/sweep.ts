/** Removes what is left over in the tables: old tombstones, and members of lives that have ended. */
import type { Logger } from 'pino'
import { type Clock, sleep } from '../../process/clock.ts'
import { BEFORE_ALL_MEMBERS } from './member-statements.ts'
import { problemOf } from './problems.ts'
import type { Session, Statement } from './session.ts'
import type { Sessions } from './sessions.ts'

/** How long a tombstone stays: far longer than any statement may be on its way. */
const AGE = '1 hour'

/** How many rows one statement removes, or looks at, at most. */
const ROWS_MAX = 1_000

/**
 * Removes old tombstones, and notes the last transaction that has changed one of them: a client that watches
 * and has seen less cannot go on.
 */
const SWEEP_TOMBSTONES: Statement = {
  name: 'cohort_sweep_tombstones',
  text: `
    with gone as (
      delete from cohort.register where key in (
        select key from cohort.register
        where value is null and updated_at < now() - interval '${AGE}'
        order by updated_at limit ${ROWS_MAX}
        for update skip locked)
      returning changed_xid),
    noted as (
      update cohort.swept
      set through = greatest(through, (select changed_xid from gone order by changed_xid desc limit 1))
      where exists (select 1 from gone))
    select count(*)::integer as count from gone`,
}

/**
 * Looks at the rows of members after a key, and removes those that count no more: tombstones, and rows of
 * lives that have ended. $1 to $3: the key. Returns the last key of those that it has looked at.
 */
const SWEEP_MEMBERS: Statement = {
  name: 'cohort_sweep_members',
  text: `
    with seen as (
      select group_id, life, member_id, updated_at, value is null as is_tombstone
      from cohort.group_member
      where (group_id, life, member_id) > ($1, $2, $3)
      order by group_id, life, member_id limit ${ROWS_MAX}),
    gone as (
      delete from cohort.group_member as held using seen
      where held.group_id = seen.group_id and held.life = seen.life and held.member_id = seen.member_id
        and held.updated_at = seen.updated_at and seen.updated_at < now() - interval '${AGE}'
        and (seen.is_tombstone or not exists (
          select 1 from cohort.register as alive
          where alive.key = 'group/' || seen.group_id and alive.life = seen.life and alive.value is not null))
      returning 1)
    select group_id, life, member_id, (select count(*)::integer from gone) as count
    from seen order by group_id desc, life desc, member_id desc limit 1`,
}

const PAUSE_MS = 60_000
/** The pause between two statements of one pass. */
const STEP_MS = 200

export type SweepOptions = Readonly<{
  sessions: Pick<Sessions, 'acquire' | 'release' | 'place'>
  clock: Clock
  timeoutMs: number
  /** Why no change may be made at the moment. `undefined`: changes may be made. */
  whyNoWrites: () => string | undefined
  logger: Pick<Logger, 'warn'>
}>

export class Sweep {
  readonly #options: SweepOptions
  readonly #closing = new AbortController()
  /** How many rows it has removed. */
  removedCount = 0

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** Passes through the tables again and again, until it is closed. */
  async run(): Promise<void> {
    const { clock, whyNoWrites } = this.#options
    const { signal } = this.#closing
    for (;;) {
      await sleep(PAUSE_MS, clock, signal)
      if (signal.aborted) return
      if (whyNoWrites() === undefined) await this.pass()
    }
  }

  /** Passes through the tables once. Never rejects: what is left over is found by the next pass. */
  async pass(): Promise<void> {
    try {
      while ((await this.#step(SWEEP_TOMBSTONES, []))?.count === ROWS_MAX) await this.#pause()
      for (let key: readonly string[] = BEFORE_ALL_MEMBERS; !this.#closing.signal.aborted; ) {
        const last = await this.#step(SWEEP_MEMBERS, key)
        if (last === undefined) return
        key = [last.group_id, last.life, last.member_id]
        await this.#pause()
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return
      const { message } = problemOf(error, this.#options.sessions.place())
      this.#options.logger.warn(`what is left over in the database was not removed: ${message}`)
    }
  }

  close(): void {
    this.#closing.abort()
  }

  #pause(): Promise<void> {
    return sleep(STEP_MS, this.#options.clock, this.#closing.signal)
  }

  async #step(statement: Statement, values: readonly string[]): Promise<SweptRow | undefined> {
    const { sessions, clock, timeoutMs } = this.#options
    const session: Session = await sessions.acquire(clock.nowMs() + timeoutMs)
    try {
      const { rows } = await session.run(statement, values, timeoutMs)
      const row = rows[0] as unknown as SweptRow | undefined
      this.removedCount += row?.count ?? 0
      return row
    } catch (error) {
      session.broken ??= error as Error
      throw error
    } finally {
      sessions.release(session)
    }
  }
}

type SweptRow = Readonly<{ count: number; group_id: string; life: string; member_id: string }>
