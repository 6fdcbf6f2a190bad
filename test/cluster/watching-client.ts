import type { TestContext } from 'node:test'
import { watchGroups } from '../../src/cli/watch/watch-groups.ts'

/** A client that watches, as the command does, and holds what it is told. */
export class WatchingClient {
  readonly held = new Map<string, string>()
  readonly resets: string[] = []
  /** What the command says beside the events: that it goes on elsewhere, for example. */
  readonly notes: string[] = []
  isSynced = false

  /** `prefix: undefined`: it watches all groups. */
  constructor(t: TestContext, urls: readonly string[], prefix: string | undefined) {
    const stopping = new AbortController()
    const watching = watchGroups({
      access: { url: urls.join(', '), urls, credentials: {} },
      prefix,
      labels: undefined,
      hasInitial: true,
      isJson: true,
      output: { isReaderGone: false, answer: (line) => this.#take(JSON.parse(line)) },
      note: (sentence) => void this.notes.push(sentence),
      signal: stopping.signal,
    })
    t.after(async () => {
      stopping.abort()
      await watching
    })
  }

  #take(event: {
    event: string
    group: { groupId: string }
    groupId: string
    etag: string
    reason: string
  }): void {
    if (event.event === 'group') this.held.set(event.group.groupId, event.etag)
    else if (event.event === 'group-deleted') this.held.delete(event.groupId)
    else if (event.event === 'synced') this.isSynced = true
    else {
      this.resets.push(event.reason)
      this.held.clear()
    }
  }
}
