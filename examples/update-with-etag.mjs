/**
 * Takes a place in a group if the place is free. A place is a label that no other caller may overwrite.
 *
 *   node examples/update-with-etag.mjs GROUP_ID PLACE NAME
 *
 * Read, decide, write: the write carries the ETag of the read (`If-Match`), so it is refused if another
 * client changed the group in between, and the decision is made again. After an unknown outcome the read
 * tells whether the change was made.
 */
import { groupPath, pause, send } from './client.mjs'

async function takePlace(groupId, place, name) {
  for (let attempt = 0; ; attempt += 1) {
    const read = await send('GET', groupPath(groupId))
    if (read.outcome === 'refused') throw new Error(`${read.code}: ${read.detail}`)
    if (read.outcome === 'done') {
      const holder = read.body.labels?.[place]
      // This also finds the place taken by an earlier attempt of this call whose outcome was unknown.
      if (holder !== undefined) return holder
      const body = { labels: { [place]: name } }
      const written = await send('PATCH', groupPath(groupId), { body, ifMatch: read.etag })
      if (written.outcome === 'done') return name
      if (written.outcome === 'refused' && written.code !== 'version_mismatch') {
        throw new Error(`${written.code}: ${written.detail}`)
      }
      // version_mismatch, not_applied or unknown: read again. The change cannot be made twice, because the
      // ETag has changed then.
    }
    await pause(attempt)
  }
}

const [groupId, place, name] = process.argv.slice(2)
if (name === undefined) throw new Error('usage: update-with-etag.mjs GROUP_ID PLACE NAME')
const holder = await takePlace(groupId, place, name)
console.log(holder === name ? `${name} has ${place}` : `${place} is taken by ${holder}`)
process.exitCode = holder === name ? 0 : 1
