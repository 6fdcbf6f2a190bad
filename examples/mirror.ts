/**
 * Holds a copy of all groups, with the client library, and prints how many there are after each change.
 *
 *   node examples/mirror.ts [PREFIX]
 *
 * Stop it with Ctrl-C. It goes on by itself when its connector dies. `API` may name several connectors, with
 * commas.
 */
import { CohortClient, type Group } from '../client/src/index.ts'

const urls = (process.env.API ?? 'http://127.0.0.1:8000').split(',')
await using cohort = new CohortClient({ urls })
const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort())

const groups = new Map<string, Group>()
let isWhole = false
try {
  for await (const event of cohort.watch(
    { initial: true, prefix: process.argv[2] },
    { signal: stopping.signal },
  )) {
    switch (event.type) {
      case 'group':
        groups.set(event.group.groupId, event.group)
        break
      case 'group-deleted':
        groups.delete(event.groupId)
        break
      case 'reset':
        // All groups come again.
        groups.clear()
        isWhole = false
        break
      case 'synced':
        isWhole = true
        break
      default:
        event satisfies never
    }
    if (isWhole) console.log(`${groups.size} groups`)
  }
} catch (error) {
  if (!stopping.signal.aborted) throw error
}
