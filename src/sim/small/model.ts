/**
 * The object that the key of a small world must behave like. It is written a second time for the
 * linearizability checker, with numbers as its values.
 */
import type { Model } from '../../linearizability/linearizability.ts'
import type { Command, Reply } from './command.ts'

type Applied = Readonly<{ state: number; result: Reply }>

/** A command and the number of its operation. */
export type NumberedCommand = Readonly<{ operation: number; command: Command }>

/** 0: no value; else creator * 65536 + version * 256 + writer. Versions start at 1. */
export const MODEL: Model<number, NumberedCommand, Reply> = {
  initial: 0,
  isSame: (a, b) => a.kind === b.kind && a.seen === b.seen,
  isReading: (_call, { kind }) => kind !== 'created' && kind !== 'updated' && kind !== 'deleted',
  keyOf: (state) => String(state),
  apply(state, { operation, command }): Applied {
    const isLive = state !== 0
    const version = Math.floor(state / 256) % 256
    switch (command.kind) {
      case 'read':
      case 'settle':
        return { state, result: { kind: 'read', seen: state } }
      case 'create': {
        if (isLive) return { state, result: { kind: 'exists', seen: state } }
        const made = operation * 65_536 + 256 + operation
        return { state: made, result: { kind: 'created', seen: made } }
      }
      case 'update':
      case 'delete': {
        if (!isLive) return { state, result: { kind: 'missing', seen: 0 } }
        if (command.version !== undefined && command.version !== version)
          return { state, result: { kind: 'stale', seen: state } }
        if (command.kind === 'delete') return { state: 0, result: { kind: 'deleted', seen: state } }
        const made = Math.floor(state / 65_536) * 65_536 + (version + 1) * 256 + operation
        return { state: made, result: { kind: 'updated', seen: made } }
      }
      default:
        return command satisfies never
    }
  },
}
