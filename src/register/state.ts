import assert from 'node:assert/strict'

/**
 * Identifies one attempt to write: the proposer that made it, and the count of that proposer, from 1. It is
 * never used again.
 */
export type WriteId = Readonly<{ proposerId: number; sequence: number }>

/** What the layer above stores: opaque bytes, or `undefined` for nothing. */
export type Value = Uint8Array | undefined

/**
 * The replicated value of a key.
 *
 * There are three forms: *absent* (generation 0: never written), a *tombstone* (written without a value:
 * deleted), and a live state. Each state descends from the state that it replaced, and its generation is one
 * higher.
 */
export type State = Readonly<{
  generation: number
  /** The attempt that proposed this state. `NO_WRITE` if absent. */
  writeId: WriteId
  /**
   * The writeIds of this state and its ancestors, newest last, at most `LINEAGE_LENGTH`. Generations are
   * consecutive, so entry `i` from the end has generation `generation - i`.
   */
  lineage: readonly WriteId[]
  value: Value
}>

/**
 * L of protocol.md §2: after this many further writes, it can no longer be told whether an operation
 * happened.
 */
export const LINEAGE_LENGTH = 16

/** The highest generation of a state (protocol.md §4.7). Nodes refuse messages with a higher one. */
export const GENERATION_MAX = 2 ** 48

const NO_WRITE: WriteId = { proposerId: 0, sequence: 0 }

/** The state of a key that was never written. */
export const ABSENT: State = { generation: 0, writeId: NO_WRITE, lineage: [], value: undefined }

export function sameWriteId(a: WriteId, b: WriteId): boolean {
  return a.sequence === b.sequence && a.proposerId === b.proposerId
}

export function isTombstone(state: State): boolean {
  return state.generation > 0 && state.value === undefined
}

/** The state that replaces `base`. `writeId` must be new. */
export function successor(base: State, writeId: WriteId, value: Value): State {
  const lineage = [...base.lineage.slice(-(LINEAGE_LENGTH - 1)), writeId]
  assert.ok(lineage.length === Math.min(base.generation + 1, LINEAGE_LENGTH), 'a lineage has no gaps')
  return { generation: base.generation + 1, writeId, lineage, value }
}

/** The text of a state in logs and traces: `7.42@3` is the writeId and the generation. */
export function formatState(state: State): string {
  if (state.generation === 0) return 'absent'
  const { proposerId, sequence } = state.writeId
  return `${proposerId}.${sequence}@${state.generation}${isTombstone(state) ? ' tombstone' : ''}`
}
