/** An entry of a stream of server-sent events: an event, or a new place (`undefined`: none any more). */
export type StreamEntry =
  | Readonly<{ kind: 'event'; name: string; data: string }>
  | Readonly<{ kind: 'place'; place: string | undefined }>

/** Reads server-sent events from a text that comes in pieces. Comments are left out. */
export class EventStream {
  #rest = ''

  /** What this piece completes, in its order. */
  take(text: string): StreamEntry[] {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop()!
    return blocks.flatMap(entriesOfBlock)
  }
}

function entriesOfBlock(block: string): StreamEntry[] {
  const entries: StreamEntry[] = []
  const data: string[] = []
  let name = 'message'
  let place: StreamEntry | undefined
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? []
    if (field === 'event') name = value
    else if (field === 'data') data.push(value)
    else if (field === 'id') place = { kind: 'place', place: value === '' ? undefined : value }
  }
  if (data.length > 0) entries.push({ kind: 'event', name, data: data.join('\n') })
  // The client has the place when it has the event.
  if (place !== undefined) entries.push(place)
  return entries
}
