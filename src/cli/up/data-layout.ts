/**
 * The data directory of a local cluster: a folder for each node, and a file with the number of nodes.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from '../../process/private-files.ts'
import { counted } from '../counted.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { WholeFile } from '../whole-file.ts'
import { nodeDirectory } from './cluster-plan.ts'

const LAYOUT_FILE = 'cluster.json'
const OUR_FILES =
  /^((cluster\.json|admin\.key|admin\.hash)(\.new|\.partial-[0-9a-f]+)?|node\d+|postgres(\.new)?|certificates)$/

/**
 * Refuses data that were made with another number of nodes: groups on the nodes that are left out would be
 * missing.
 *
 * @throws CommandFailure also when the directory or its file cannot be read
 */
export async function checkLayout(dataDir: string, nodeCount: number): Promise<void> {
  const found = await findNodeCount(dataDir).catch((cause: unknown) => {
    if (cause instanceof CommandFailure) throw cause
    throw new CommandFailure(
      `the data directory ${dataDir} cannot be read: ${messageOf(cause)}`,
      EXIT.failed,
      { cause },
    )
  })
  if (found === undefined || found === nodeCount) return
  throw new CommandFailure(
    `${dataDir} holds the data of ${counted(found, 'node')}, but ${counted(nodeCount, 'node')} were asked for: ` +
      `use --nodes ${found}, or another --data-dir`,
    EXIT.usage,
  )
}

/** Makes the data directory itself. @throws CommandFailure */
export function makeDataDirectory(dataDir: string): void {
  try {
    makePrivateDirectory(dataDir, (name) => OUR_FILES.test(name))
  } catch (cause) {
    throw unusable(dataDir, cause)
  }
}

/**
 * Makes the directories that are missing, and saves the number of nodes. @throws CommandFailure
 */
export async function makeLayout(dataDir: string, nodeCount: number): Promise<void> {
  makeDataDirectory(dataDir)
  try {
    await writeLayout(join(dataDir, LAYOUT_FILE), `${JSON.stringify({ nodes: nodeCount })}\n`)
    for (let index = 0; index < nodeCount; index += 1) {
      // The node itself checks the files in its folder.
      makePrivateDirectory(nodeDirectory(dataDir, index), () => false)
    }
  } catch (cause) {
    throw unusable(dataDir, cause)
  }
}

function unusable(dataDir: string, cause: unknown): CommandFailure {
  return new CommandFailure(
    `the data directory ${dataDir} cannot be used: ${messageOf(cause)}`,
    EXIT.failed,
    { cause },
  )
}

async function writeLayout(path: string, text: string): Promise<void> {
  const found = await readFile(path, 'utf8').catch(absent)
  // Nothing to write: so a cluster on a full disk can start again.
  if (found === text) return
  await WholeFile.replace(path, text)
}

/** `undefined`: there is no cluster in this directory yet. */
async function findNodeCount(dataDir: string): Promise<number | undefined> {
  const names = await readdir(dataDir).catch(absent)
  if (names === undefined) return undefined
  const path = join(dataDir, LAYOUT_FILE)
  const layout = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new CommandFailure(`${path} cannot be read (${error.message})`)
  })
  if (layout !== undefined) return nodeCountIn(layout, path)
  // For nodes that were started by hand there is no such file. The last folder has the number of nodes.
  const numbers = names.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

function nodeCountIn(layout: Buffer, path: string): number {
  const count = parsed(layout)?.nodes
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1) return count
  const reason = layout.length === 0 ? 'it is empty' : 'it does not say how many nodes there are'
  throw new CommandFailure(
    `${path} is damaged: ${reason}. If the folders node1, node2 and so on beside it are all there, remove the file: ` +
      'the number of folders is then used',
  )
}

function parsed(json: Buffer): { nodes?: unknown } | undefined {
  try {
    return JSON.parse(json.toString()) ?? undefined
  } catch {
    return undefined
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
