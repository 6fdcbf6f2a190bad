import { writeFile } from 'node:fs/promises'
import type { Operation } from './operation.ts'

/**
 * Writes operations to a new file, as one JSON object a line, in the order of their calls; the first line says what
 * the run was.
 *
 * @throws when the file exists already, or cannot be written
 */
export async function saveHistory(
  path: string,
  run: Readonly<{ [name: string]: unknown }>,
  operations: readonly Operation[],
): Promise<void> {
  const lines = [run, ...operations.toSorted((a, b) => a.calledAt - b.calledAt)]
  await writeFile(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`, { flag: 'wx' })
}
