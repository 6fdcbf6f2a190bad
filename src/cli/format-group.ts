import { escapeCharacter } from '../process/escape-character.ts'
import type { GroupView } from './api-client.ts'

/** A group for people, one line for each field. The text does not end with a line feed. */
export function formatGroup(group: GroupView, etag: string | undefined): string {
  const labels = Object.entries(group.labels ?? {})
  const lines: (readonly [string, string])[] = [
    ['groupId', group.groupId],
    ...(group.description === undefined ? [] : [['description', group.description] as const]),
    ...labels.map(([key, value], index) => [index === 0 ? 'labels' : '', `${key}=${value}`] as const),
    ['version', String(group.version)],
    ...(etag === undefined ? [] : [['etag', etag] as const]),
    ['created', group.createdAt],
    ['updated', group.updatedAt],
    ...(group.updatedBy === undefined ? [] : [['by', group.updatedBy] as const]),
    ...(group.requestId === undefined ? [] : [['request', group.requestId] as const]),
  ]
  return lines.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`).join('\n')
}

/** The text with its control characters escaped, so that it cannot move the cursor or colour the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    const known = ({ '\n': '\\n', '\t': '\\t', '\r': '\\r' } as { [key: string]: string })[character]
    return known ?? escapeCharacter(character)
  })
}
