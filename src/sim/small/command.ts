/** What the clients of a small world do to its one key, as the operations that the proposer runs. */
import type { Decision } from '../../register/operation.ts'
import type { Value } from '../../register/state.ts'

export type Command =
  | Readonly<{ kind: 'read' }>
  /** A read through a classic round, as a repair does. */
  | Readonly<{ kind: 'settle' }>
  | Readonly<{ kind: 'create' }>
  /** `version`: the version that the command expects; `undefined`: any version. */
  | Readonly<{ kind: 'update' | 'delete'; version: number | undefined }>

/** The answer of a command. `seen`: the value that it found or made, as a number; 0: no value. */
export type Reply = Readonly<{
  kind: 'read' | 'created' | 'updated' | 'deleted' | 'exists' | 'missing' | 'stale'
  seen: number
}>

/**
 * Every value names the operation that created it, counts its versions, and names the operation that wrote it
 * last.
 */
const CREATOR = 0
const VERSION = 1
const WRITER = 2

/** Runs a command; `operation` (0 to 255) is its number in this world. */
export function decide(command: Command, operation: number, value: Value): Decision {
  if (command.kind === 'read' || command.kind === 'settle') return keep('read', value)
  if (command.kind === 'create') {
    if (value !== undefined) return keep('exists', value)
    return propose('created', Uint8Array.of(operation, 1, operation))
  }
  if (value === undefined) return keep('missing', value)
  const version = value[VERSION]!
  if (command.version !== undefined && command.version !== version) return keep('stale', value)
  if (command.kind === 'delete') return { kind: 'propose', value: undefined, result: reply('deleted', value) }
  return propose('updated', Uint8Array.of(value[CREATOR]!, version + 1, operation))
}

function keep(kind: Reply['kind'], value: Value): Decision {
  return { kind: 'keep', result: reply(kind, value) }
}

function propose(kind: Reply['kind'], value: Uint8Array): Decision {
  return { kind: 'propose', value, result: reply(kind, value) }
}

function reply(kind: Reply['kind'], value: Value): Reply {
  return {
    kind,
    seen: value === undefined ? 0 : (value[CREATOR]! << 16) | (value[VERSION]! << 8) | value[WRITER]!,
  }
}
