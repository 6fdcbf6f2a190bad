import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import type { Operation } from './operation.ts'

/**
 * Writes operations to a new file, one JSON object per line, in the order of their calls. The first line
 * describes the run.
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

/**
 * Checks before a run that a history can be saved at this path.
 *
 * @throws CommandFailure when it cannot
 */
export async function checkHistoryPath(path: string): Promise<void> {
  const isTaken = await access(path).then(
    () => true,
    () => false,
  )
  if (isTaken)
    throw new CommandFailure(`${path} exists already: name another file with --history`, EXIT.usage)
  await access(dirname(path), constants.W_OK).catch((cause: Error) => {
    throw new CommandFailure(`cannot write to ${dirname(path)}: ${cause.message}`, EXIT.usage, { cause })
  })
}
