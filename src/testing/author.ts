import type { Author } from '../group/author.ts'

/** For tests that do not look at the author of a change. */
export const AUTHOR: Author = { updatedBy: 'key:test', requestId: 'request-1' }
