/** The registers of groups and API keys: each has a key, which is a namespace and an id. */
import type { Outcome } from '../../group/registry.ts'
import { type Decide, type RowStore, UnreadableRowError } from './row-store.ts'
import { readRow } from './row-table.ts'
import { REGISTERS, SCAN } from './statements.ts'

export type KeyedValue = Readonly<{ key: string; value: Uint8Array }>

/** Keys from `start` on, after `after` (empty: no matter), and before `end`. `limit`: how many at most. */
export type RowRange = Readonly<{ start: string; after: string; end: string; limit: number }>

export class RegisterStore {
  readonly #rows: RowStore

  constructor(rows: RowStore) {
    this.#rows = rows
  }

  async read<T>(key: string, decode: (value: Uint8Array | undefined) => T): Promise<Outcome<T>> {
    const row = await this.#rows.read((session, limitMs) => readRow(session, REGISTERS, [key], limitMs))
    if (row.kind !== 'done') return row
    try {
      return { kind: 'done', value: decode(row.value.value) }
    } catch (error) {
      if (!(error instanceof UnreadableRowError)) throw error
      return { kind: 'unreadable', reason: error.message }
    }
  }

  /** Rows with values, in the order of their keys' bytes. */
  async scan({ start, after, end, limit }: RowRange): Promise<Outcome<KeyedValue[]>> {
    return this.#rows.read(async (session, limitMs) => {
      const { rows } = await session.run(SCAN, [start, after, end, limit], limitMs)
      return rows as unknown as KeyedValue[]
    })
  }

  async change<R>(key: string, decide: Decide<R>): Promise<Outcome<R>> {
    const target = {
      table: REGISTERS,
      key: [key],
      find: async (session: Parameters<typeof readRow>[0], limitMs: number) => ({
        key: [key],
        row: await readRow(session, REGISTERS, [key], limitMs),
      }),
    }
    // A register can always be made, so the outcome has a value.
    return this.#rows.change(target, decide) as Promise<Outcome<R>>
  }
}
