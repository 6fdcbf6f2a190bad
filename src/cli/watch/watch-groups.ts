import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { ApiAccess } from '../api-access.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import type { Output } from '../output.ts'
import { EventReader, type ReadEvent } from './event-reader.ts'

export type WatchOptions = Readonly<{
  /** Where connectors are. If one does not answer, the next one is asked. */
  places: readonly ApiAccess[]
  prefix: string | undefined
  labels: string | undefined
  hasInitial: boolean
  isJson: boolean
  output: Pick<Output, 'answer' | 'isReaderGone'>
  /** For what is no event. */
  note: (sentence: string) => void
  signal: AbortSignal
}>

/** The pause after all connectors were asked in vain. */
const PAUSE_MS = 1_000

/** Longer than the time between two comments of a watch. A connector that sends nothing has died. */
const SILENCE_MS_MAX = 40_000

/** Errors that another connector, or a later time, does not change. */
const FINAL_STATUSES: readonly number[] = [400, 401, 403, 404]

/**
 * Prints the changes of groups until `signal` aborts. It goes on at another connector, or at the same one,
 * with the place that it has.
 *
 * @throws {CommandFailure} when the API refuses the watch
 */
export async function watchGroups(options: WatchOptions): Promise<number> {
  const { places, note, signal, output } = options
  let place: string | undefined
  let hasWatched = false
  let isSaid = false
  for (let turn = 0; ; turn += 1) {
    const access = places[turn % places.length]!
    let end: string
    try {
      const onBegin = (): void => {
        if (isSaid) note(`${access.url} answers: the watch goes on`)
        isSaid = false
        // Without a place, nobody knows what has changed since the last connection.
        if (hasWatched && place === undefined)
          print(options, { kind: 'reset', data: '{"reason":"connection_lost"}' })
        hasWatched = true
      }
      place = await watchOne(access, options, place, onBegin, (now) => {
        place = now
      })
      end = 'the connector has ended the watch'
    } catch (error) {
      if (error instanceof CommandFailure) throw error
      end = error instanceof Error ? error.message : String(error)
    }
    if (signal.aborted || output.isReaderGone) return EXIT.interrupted
    if (!isSaid) note(`${access.url}: ${end}; trying ${places.length > 1 ? 'the others' : 'again'}`)
    isSaid = true
    if (turn % places.length === places.length - 1)
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return EXIT.interrupted
  }
}

async function watchOne(
  { url, credentials: { token, ca } }: ApiAccess,
  options: WatchOptions,
  after: string | undefined,
  onBegin: () => void,
  onPlace: (place: string | undefined) => void,
): Promise<string | undefined> {
  const { prefix, labels, hasInitial, output, signal } = options
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ prefix, labels, after }))
    if (value !== undefined) query.set(name, value)
  if (hasInitial) query.set('initial', 'true')
  const dispatcher = new Agent({
    connect: { timeout: 5_000, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: SILENCE_MS_MAX,
    bodyTimeout: SILENCE_MS_MAX,
  })
  try {
    const { statusCode, body } = await request(`${url.replace(/\/+$/, '')}/v1/watch?${query}`, {
      dispatcher,
      signal,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
    if (statusCode !== 200) await refuse(statusCode, await body.text())
    onBegin()
    const reader = new EventReader()
    reader.place = after
    body.setEncoding('utf8')
    for await (const text of body) {
      for (const event of reader.take(text)) print(options, event)
      onPlace(reader.place)
      if (output.isReaderGone) break
    }
    return reader.place
  } finally {
    await dispatcher.destroy()
  }
}

async function refuse(status: number, text: string): Promise<never> {
  const problem = describeProblem(text) ?? `the answer has the status ${status}`
  if (FINAL_STATUSES.includes(status)) throw new CommandFailure(problem)
  throw new Error(problem)
}

function describeProblem(text: string): string | undefined {
  try {
    const { title, detail } = JSON.parse(text)
    return detail === undefined ? title : `${title}: ${detail}`
  } catch {
    return undefined
  }
}

function print({ isJson, output }: WatchOptions, { kind, data }: ReadEvent): void {
  const fields = JSON.parse(data)
  const line = isJson ? JSON.stringify({ event: kind, ...fields }) : `${kind.padEnd(13)}  ${lineOf(fields)}`
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
