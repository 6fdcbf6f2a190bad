/** `cohort watch`: prints the changes of groups as lines. */
import { CohortError, type WatchConnection, type WatchEvent } from '../../../client/src/index.ts'
import type { ApiAccess } from '../api-access.ts'
import { ApiClient } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import type { Output } from '../output.ts'

export type WatchOptions = Readonly<{
  /** Where connectors are. If one does not answer, the next one is asked. */
  access: ApiAccess
  prefix: string | undefined
  labels: string | undefined
  hasInitial: boolean
  isJson: boolean
  output: Pick<Output, 'answer' | 'isReaderGone'>
  /** For what is no event. */
  note: (sentence: string) => void
  signal: AbortSignal
}>

/**
 * Prints the changes of groups until `signal` aborts. It goes on at another connector, or at the same one,
 * with the place that it has.
 *
 * @throws {CommandFailure} when the API refuses the watch
 */
export async function watchGroups(options: WatchOptions): Promise<number> {
  const { access, prefix, labels, hasInitial, output, signal } = options
  const client = new ApiClient(access)
  const query = { prefix, labels, initial: hasInitial }
  try {
    for await (const event of client.watch(query, { signal, onConnection: noteOf(options) })) {
      print(options, event)
      if (output.isReaderGone) break
    }
    return EXIT.interrupted
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    if (error instanceof CohortError && error.outcome.outcome === 'refused') {
      const { title, detail } = error.outcome.problem
      throw new CommandFailure(printable(detail === undefined ? title : `${title}: ${detail}`))
    }
    throw error
  } finally {
    await client.close()
  }
}

/** Says when the connection is lost, once, and when there is one again. */
function noteOf({ access, note }: WatchOptions): (connection: WatchConnection) => void {
  let isSaid = false
  const next = access.urls.length > 1 ? 'the others' : 'again'
  return (connection) => {
    if (connection.state === 'lost' && !isSaid)
      note(`${connection.url}: ${connection.reason}; trying ${next}`)
    if (connection.state === 'connected' && isSaid) note(`${connection.url} answers: the watch goes on`)
    isSaid = connection.state === 'lost'
  }
}

function print({ isJson, output }: WatchOptions, { type, ...fields }: WatchEvent): void {
  const line = isJson
    ? JSON.stringify({ event: type, ...fields })
    : `${type.padEnd(13)}  ${printable(lineOf(fields))}`
  output.answer(`${line.trimEnd()}\n`)
}

type Fields = Readonly<{
  group?: Readonly<{ groupId: string; version: number; labels?: Readonly<Record<string, string>> }>
  groupId?: string
  reason?: string
}>

function lineOf({ group, groupId, reason }: Fields): string {
  if (group === undefined) return groupId ?? reason ?? ''
  const labels = Object.entries(group.labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return [group.groupId, `version ${group.version}`, ...labels].join('  ')
}
