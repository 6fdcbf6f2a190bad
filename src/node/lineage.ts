import type { WriteId } from '../register/state.ts'

/** A lineage as the database keeps it, which any SQLite tool can show: `7.41 7.42`. */
export function formatLineage(lineage: readonly WriteId[]): string {
  return lineage.map(({ proposerId, sequence }) => `${proposerId}.${sequence}`).join(' ')
}

/** The lineage in a text that `formatLineage` made. */
export function parseLineage(text: string): WriteId[] {
  if (text === '') return []
  return text.split(' ').map((writeId) => {
    const dot = writeId.indexOf('.')
    return { proposerId: Number(writeId.slice(0, dot)), sequence: Number(writeId.slice(dot + 1)) }
  })
}
