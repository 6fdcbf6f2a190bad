/** Walks through the pages of a list. */
import type { CallOptions } from './caller.ts'
import { CohortError, type NotApplied, type ReadOutcome, type Refused } from './outcome.ts'

/** What every list takes. */
export type ListOptions = CallOptions &
  Readonly<{
    /** At most so many entries. Default: all. */
    limit?: number | undefined
    /** At most so many in each page, 1 to 1,000. Default: 1,000. */
    pageSize?: number | undefined
    /** Whether the next page is asked for while this one is used. Default: false. */
    isAhead?: boolean | undefined
    /** For the first page: how long it is asked for. Default: as for the others. */
    firstPatienceMs?: number | undefined
  }>

type Page = Readonly<{ after?: string | undefined }>

export type Pages<P> = Readonly<{
  /** Asks for the page after an id. */
  ask: (
    query: Readonly<{ after: string | undefined; limit: number }>,
    options: CallOptions,
  ) => Promise<ReadOutcome<P, string>>
  /** How many entries a page has. */
  lengthOf: (page: P) => number
}>

const PAGE_SIZE = 1_000

/**
 * The pages, in order. A page may be short or empty and have others after it. `after`: where to begin.
 *
 * @throws CohortError when a page cannot be had
 * @throws the reason of the signal
 */
export async function* pagesOf<P extends Page>(
  { ask, lengthOf }: Pages<P>,
  { limit, pageSize = PAGE_SIZE, isAhead = false, firstPatienceMs, signal, ...rest }: ListOptions,
  start?: string,
): AsyncGenerator<P, void, undefined> {
  const ended = new AbortController()
  const onAbort = () => ended.abort(signal?.reason)
  signal?.throwIfAborted()
  signal?.addEventListener('abort', onAbort)
  const options = { ...rest, signal: ended.signal }
  let left = limit ?? Number.POSITIVE_INFINITY
  const askAfter = (after: string | undefined, given: CallOptions) => {
    const page = ask({ after, limit: Math.min(left, pageSize) }, given)
    // A page that is not wanted any more fails unnoticed.
    page.catch(() => undefined)
    return page
  }
  try {
    let asked = askAfter(start, {
      ...options,
      ...(firstPatienceMs === undefined ? {} : { patienceMs: firstPatienceMs }),
    })
    while (left > 0) {
      const page = await asked
      if (page.outcome !== 'done') throw new CohortError(page as Refused | NotApplied)
      left -= lengthOf(page.value)
      const { after } = page.value
      const isLast = after === undefined || left <= 0
      if (!isLast && isAhead) asked = askAfter(after, options)
      yield page.value
      if (isLast) return
      if (!isAhead) asked = askAfter(after, options)
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    ended.abort()
  }
}

/** A list has all entries that can be read, and lacks these: what the nodes hold for them is damaged. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
  readonly ids: readonly string[]

  constructor(ids: readonly string[]) {
    super(`${ids.length} of the list cannot be read: the log of the connector says more`)
    this.ids = ids
  }
}

/** The entries of pages, one by one. @throws UnreadableError after the last one, if some cannot be read */
export async function* entriesOf<P extends Readonly<{ unreadable?: readonly string[] }>, E>(
  pages: AsyncIterable<P>,
  entries: (page: P) => readonly E[],
): AsyncGenerator<E, void, undefined> {
  const unreadable: string[] = []
  for await (const page of pages) {
    unreadable.push(...(page.unreadable ?? []))
    yield* entries(page)
  }
  if (unreadable.length > 0) throw new UnreadableError(unreadable)
}
