import { formatCount } from './progress.ts'

/** A count of things: `1 node`, `3 nodes`, `12,345 nodes`. */
export function counted(count: number, one: string): string {
  return `${formatCount(count)} ${count === 1 ? one : `${one}s`}`
}

/** What a backup has: `5 groups and 1 member`; members only if there are any. */
export function countedContents(groupCount: number, memberCount: number): string {
  const groups = counted(groupCount, 'group')
  return memberCount === 0 ? groups : `${groups} and ${counted(memberCount, 'member')}`
}
