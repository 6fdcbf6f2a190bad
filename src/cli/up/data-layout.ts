/**
 * The data directory of a local cluster: a folder for each node, and a file that says how many nodes there
 * are.
 */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { nodeDirectory } from './cluster-plan.ts'

const LAYOUT_FILE = 'cluster.json'

/**
 * Refuses data that another number of nodes made: those nodes would not be heard, and their groups not be
 * found.
 *
 * @throws CommandFailure also when the directory cannot be read
 */
export async function checkLayout(dataDir: string, nodeCount: number): Promise<void> {
  const found = await findNodeCount(dataDir).catch((cause: unknown) => {
    throw new CommandFailure(
      `the data directory ${dataDir} cannot be read: ${messageOf(cause)}`,
      EXIT.failed,
      { cause },
    )
  })
  if (found === undefined || found === nodeCount) return
  throw new CommandFailure(
    `${dataDir} holds the data of ${nodes(found)}, but ${nodes(nodeCount)} were asked for: ` +
      `use --nodes ${found}, or another --data-dir`,
    EXIT.usage,
  )
}

/** Makes the directories, for a first start, and writes down how many there are. @throws CommandFailure */
export async function makeLayout(dataDir: string, nodeCount: number): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true })
    // Written whole or not at all: half a file would be taken for the data of no nodes.
    const path = join(dataDir, LAYOUT_FILE)
    await writeFile(`${path}.new`, `${JSON.stringify({ nodes: nodeCount })}\n`)
    await rename(`${path}.new`, path)
    for (let index = 0; index < nodeCount; index += 1) {
      await mkdir(nodeDirectory(dataDir, index), { recursive: true })
    }
  } catch (cause) {
    throw new CommandFailure(
      `the data directory ${dataDir} cannot be used: ${messageOf(cause)}`,
      EXIT.failed,
      { cause },
    )
  }
}

/** `undefined`: there is no cluster here yet. */
async function findNodeCount(dataDir: string): Promise<number | undefined> {
  const names = await readdir(dataDir).catch(absent)
  if (names === undefined) return undefined
  const layout = await readFile(join(dataDir, LAYOUT_FILE), 'utf8').catch(absent)
  if (layout !== undefined) {
    const { nodes: count } = JSON.parse(layout) as { nodes?: unknown }
    if (typeof count === 'number') return count
  }
  // Nodes that were started by hand have no such file: the last folder tells.
  const numbers = names.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
