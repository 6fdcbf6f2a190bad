/**
 * What clients of a large world do to a group, and how a group must behave. It is written a second time for
 * the checker and shares no code with the program.
 */
import type { Model } from '../../linearizability/linearizability.ts'

export type GroupCommand =
  | Readonly<{ kind: 'read' }>
  | Readonly<{ kind: 'create'; incarnation: string; text: string }>
  /** `etag`: the value of `If-Match`; `undefined`: no condition. */
  | Readonly<{ kind: 'update'; text: string; etag: string | undefined }>
  | Readonly<{ kind: 'delete'; etag: string | undefined }>

/** What a client saw, as text: `created 1-a hello`, `refused group_exists`, `read nothing`. */
export type Seen = string

type State = Readonly<{ incarnation: string; version: number; text: string }> | undefined

export const GROUP_MODEL: Model<State, GroupCommand, Seen> = {
  initial: undefined,
  isSame: (a, b) => a === b,
  isReading: (_command, seen) => !/^(created|updated|deleted)/.test(seen),
  keyOf: show,
  apply(state, command) {
    if (command.kind === 'read') return { state, result: `read ${show(state)}` }
    if (command.kind === 'create') {
      if (state !== undefined) return { state, result: 'refused group_exists' }
      const created = { incarnation: command.incarnation, version: 1, text: command.text }
      return { state: created, result: `created ${show(created)}` }
    }
    if (state === undefined) return { state, result: 'refused group_not_found' }
    const etag = `"${state.version}-${state.incarnation}"`
    if (command.etag !== undefined && command.etag !== etag)
      return { state, result: 'refused version_mismatch' }
    if (command.kind === 'delete') return { state: undefined, result: `deleted ${show(state)}` }
    if (command.text === state.text) return { state, result: `unchanged ${show(state)}` }
    const updated = { ...state, version: state.version + 1, text: command.text }
    return { state: updated, result: `updated ${show(updated)}` }
  },
}

function show(state: State): string {
  return state === undefined ? 'nothing' : `${state.version}-${state.incarnation} ${state.text}`
}
