import { GROUP_EXAMPLE } from './group-schemas.ts'

/** The beginning of a watch, as clients see it. */
export const WATCH_EXAMPLE = [
  'retry: 1000',
  '',
  'event: group',
  `data: ${JSON.stringify({ group: GROUP_EXAMPLE, etag: '"1-3f9c2a"' })}`,
  '',
  'event: synced',
  'data: {}',
  '',
  'id: WzEsMSxbIm4xIiwiYWIiLDdd',
  '',
  'event: group-deleted',
  'data: {"groupId":"refunds","etag":"\\"4-3f9c2b\\""}',
  '',
].join('\n')
