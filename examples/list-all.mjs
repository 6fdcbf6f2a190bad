/**
 * Prints the ids of all groups, one on each line, in the order of their bytes.
 *
 *   node examples/list-all.mjs
 *
 * A page may be short or even empty, where many groups were deleted: only the last page has no `after`. The
 * list is not a snapshot: a group that is created or deleted meanwhile may be in it or not.
 */
import { pause, send } from './client.mjs'

async function* allGroups() {
  for (let after, attempt = 0; ; ) {
    const query = new URLSearchParams({ limit: '100', ...(after !== undefined && { after }) })
    const page = await send('GET', `/v1/group?${query}`)
    if (page.outcome === 'refused') throw new Error(`${page.code}: ${page.detail}`)
    if (page.outcome === 'done') {
      yield* page.body.groups
      after = page.body.after
      attempt = 0
      if (after === undefined) return
    } else {
      // Ask for the same page again: nothing of it was printed.
      await pause(attempt)
      attempt += 1
    }
  }
}

for await (const group of allGroups()) console.log(group.groupId)
