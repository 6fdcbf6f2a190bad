import type { WriteId } from '../../register/state.ts'

/** A lineage as text, which is how the database stores it: `7.41 7.42`. */
export function formatLineage(lineage: readonly WriteId[]): string {
  return lineage.map(({ proposerId, sequence }) => `${proposerId}.${sequence}`).join(' ')
}

/** The lineage that `formatLineage` has made into this text. */
export function parseLineage(text: string): WriteId[] {
  if (text === '') return []
  return text.split(' ').map((writeId) => {
    const dot = writeId.indexOf('.')
    return { proposerId: Number(writeId.slice(0, dot)), sequence: Number(writeId.slice(dot + 1)) }
  })
}
