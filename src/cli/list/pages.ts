/** Walks through the pages of a list of the API. */
import type { Reply } from '../api-client.ts'
import { PATIENCE_MS, PAUSE_MS } from '../backup/patience.ts'
import { toFailure } from '../group-command.ts'
import { patiently } from '../patiently.ts'

/** The largest page that the API gives. */
const PAGE_LENGTH = 1_000

export type PagesOptions<P> = Readonly<{
  /** Asks for the page after an id. `limit`: 1 to 1,000. */
  page: (after: string | undefined, limit: number) => Promise<Reply<P>>
  /** How many entries a page has. */
  lengthOf: (page: P) => number
  /** Where the API is, for messages. */
  url: string
  /** The largest number of entries to ask for. `undefined`: all. */
  limit: number | undefined
  /** How long a cluster that has answered once may be unavailable, in milliseconds. Default: 20 s. */
  patienceMs?: number | undefined
}>

/**
 * The pages, in order. While one is handled, the next one is on its way.
 *
 * @throws CommandFailure when a page cannot be read
 */
export async function* pagesOf<P extends Readonly<{ after?: string | undefined }>>({
  page: ask,
  lengthOf,
  url,
  limit,
  patienceMs = PATIENCE_MS,
}: PagesOptions<P>): AsyncGenerator<P> {
  const ended = new AbortController()
  let left = limit ?? Number.POSITIVE_INFINITY
  const pageAfter = (after: string | undefined, waitMs: number): Promise<Reply<P>> => {
    const patience = { patienceMs: waitMs, pauseMs: PAUSE_MS, nowMs: () => performance.now() }
    const request = () => ask(after, Math.min(left, PAGE_LENGTH))
    return patiently(request, { ...patience, signal: ended.signal })
  }
  try {
    // A connector that has never answered is not waited for.
    let asked = pageAfter(undefined, 0)
    while (true) {
      const reply = await asked
      if (reply.kind !== 'answered') throw toFailure(reply, url)
      const page = reply.value
      left -= lengthOf(page)
      const isLast = page.after === undefined || left <= 0
      if (!isLast) asked = pageAfter(page.after, patienceMs)
      yield page
      if (isLast) return
    }
  } finally {
    // The page that is on its way is not wanted any more.
    ended.abort()
  }
}
