/** What the operations of a run write, and which operations an answer shows. */
import type { GroupMember } from '../../api/group-member-schemas.ts'
import type { Written } from '../../linearizability/group-life.ts'
import type { GroupView } from '../api-client.ts'

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

/** What the add or the change of a member with this number writes. */
export function roleOf(number: number): string {
  return `#${number}`
}

/**
 * The state of a group that an answer shows. A number is NaN if no operation of a run has written that field.
 */
export function groupStateOf({ version, description, labels }: GroupView): Written {
  return { creator: numberIn(labels?.[CREATOR_LABEL]), version, writer: numberIn(description) }
}

/** The state of a member that an answer shows. */
export function memberStateOf({ version, role }: GroupMember): Omit<Written, 'creator'> {
  return { version, writer: numberIn(role) }
}

const CREATOR_LABEL = 'created-by'

function numberIn(text: string | undefined): number {
  const [, digits] = /^#(\d+)$/.exec(text ?? '') ?? []
  return Number(digits)
}
