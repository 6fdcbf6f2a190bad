/** The order of keys on all nodes: by their UTF-8 bytes. JavaScript compares UTF-16 units, which is another order. */

/** Below 0: `a` comes before `b`. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The first key after `key`. */
export function successorKey(key: string): string {
  return `${key}\0`
}
