/** An event of a watch: its kind and its data, as the API sends them. */
export type ReadEvent = Readonly<{ kind: string; data: string }>

/** Reads server-sent events from a text that comes in pieces. Comments are left out. */
export class EventReader {
  /** The id that the API has sent last. `undefined`: none, or an empty one. */
  place: string | undefined
  #rest = ''

  /** The events that this piece completes. */
  take(text: string): ReadEvent[] {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop()!
    return blocks.flatMap((block) => {
      let kind = 'message'
      const data: string[] = []
      for (const line of block.split('\n')) {
        const [, name, value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? []
        if (name === 'event') kind = value
        else if (name === 'data') data.push(value)
        else if (name === 'id') this.place = value === '' ? undefined : value
      }
      return data.length === 0 ? [] : [{ kind, data: data.join('\n') }]
    })
  }
}
