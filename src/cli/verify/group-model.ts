/** How a group must behave. The model is written for the checker, and shares no code with the program. */
import type { Model } from '../../linearizability/linearizability.ts'
import type { GroupView } from '../api-client.ts'
import type { Operation } from './operation.ts'

/**
 * A group: the numbers of the operations that created it and that wrote it last. `undefined`: no group.
 */
export type State = Readonly<{ creator: number; version: number; writer: number }> | undefined

type Call = Pick<Operation, 'number' | 'command'>

/** The model of one key. A result is an answer as a text: `read version 1 of #3, written by #3`. */
export const GROUP_MODEL: Model<State, Call, string> = {
  initial: undefined,
  isSame: (a, b) => a === b,
  isReading: (_call, seen) => !/^(created|updated|deleted)/.test(seen),
  keyOf: describeState,
  apply(state, { number, command }) {
    switch (command.kind) {
      case 'read':
        return { state, result: `read ${describeState(state)}` }
      case 'create': {
        if (state !== undefined) return { state, result: 'refused group_exists' }
        const created = { creator: number, version: 1, writer: number }
        return { state: created, result: `created ${describeState(created)}` }
      }
      case 'update':
      case 'delete': {
        if (state === undefined) return { state, result: 'refused group_not_found' }
        if (command.ifMatch !== undefined && command.ifMatch.state !== describeState(state)) {
          return { state, result: 'refused version_mismatch' }
        }
        if (command.kind === 'delete') return { state: undefined, result: `deleted ${describeState(state)}` }
        const updated = { ...state, version: state.version + 1, writer: number }
        return { state: updated, result: `updated ${describeState(updated)}` }
      }
      default:
        return command satisfies never
    }
  },
}

/** A state as text. Equal states have equal texts. */
export function describeState(state: State): string {
  if (state === undefined) return 'nothing'
  return `version ${state.version} of #${state.creator}, written by #${state.writer}`
}

/** What the create with this number writes. */
export function contentOf(
  number: number,
): Readonly<{ description: string; labels: { [key: string]: string } }> {
  return { description: `#${number}`, labels: { [CREATOR_LABEL]: `#${number}` } }
}

/** What the update with this number writes. It keeps the label with the number of the create. */
export function patchOf(number: number): Readonly<{ description: string }> {
  return { description: `#${number}` }
}

/** The state that an answer shows. A number is NaN if no operation of a run has written that field. */
export function stateOf({ version, description, labels }: GroupView): NonNullable<State> {
  return { creator: numberIn(labels?.[CREATOR_LABEL]), version, writer: numberIn(description) }
}

const CREATOR_LABEL = 'created-by'

function numberIn(text: string | undefined): number {
  const [, digits] = /^#(\d+)$/.exec(text ?? '') ?? []
  return Number(digits)
}
