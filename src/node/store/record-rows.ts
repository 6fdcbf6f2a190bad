import assert from 'node:assert/strict'
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { ABSENT, type State } from '../../register/state.ts'
import { integer, text } from './columns.ts'
import { formatLineage, parseLineage } from './lineage.ts'

/**
 * The columns of the table `record` that hold a record, in the order in which the functions below use them.
 */
export const RECORD_COLUMNS =
  'promised_round, promised_proposer, accepted_round, accepted_proposer, generation, lineage, chosen, is_stub, value'

/** A record as values of `RECORD_COLUMNS`. */
export function columnsOf({ promised, accepted, state, chosen, isStub }: KeyRecord): SQLInputValue[] {
  return [
    promised.round,
    promised.proposerId,
    accepted?.round ?? null,
    accepted?.proposerId ?? null,
    state.generation,
    formatLineage(state.lineage),
    chosen ? 1 : 0,
    isStub ? 1 : 0,
    state.value ?? null,
  ]
}

/** The record in the columns from index `at` on, which are those of `RECORD_COLUMNS`. */
export function recordOf(columns: readonly SQLOutputValue[], at: number): KeyRecord {
  const promised = { round: integer(columns[at]), proposerId: integer(columns[at + 1]) }
  const accepted: Ballot | undefined =
    columns[at + 2] === null
      ? undefined
      : { round: integer(columns[at + 2]), proposerId: integer(columns[at + 3]) }
  assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
  const generation = integer(columns[at + 4])
  const value = columns[at + 8]
  return {
    promised,
    accepted,
    state: stateOf(generation, text(columns[at + 5]), value instanceof Uint8Array ? value : undefined),
    chosen: columns[at + 6] === 1,
    isStub: columns[at + 7] === 1,
  }
}

function stateOf(generation: number, lineageText: string, value: Uint8Array | undefined): State {
  if (generation === 0) return ABSENT
  const lineage = parseLineage(lineageText)
  const writeId = lineage.at(-1)
  assert.ok(writeId !== undefined, 'a written state has a lineage')
  return { generation, writeId, lineage, value }
}
