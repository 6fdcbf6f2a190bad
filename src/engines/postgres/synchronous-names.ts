/**
 * For how many standbys a commit waits by the setting `synchronous_standby_names`: `ANY 2 (a, b, c)`,
 * `FIRST 1 (a, b)`, `2 (a, b)`, or only names, which means 1. Empty: none.
 */
export function standbysWaitedFor(setting: string): number {
  const text = setting.trim()
  if (text === '') return 0
  const [, count] = /^(?:(?:any|first)\s+)?(\d+)\s*\(/i.exec(text) ?? []
  return count === undefined ? 1 : Number(count)
}
