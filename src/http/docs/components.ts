/** Keywords whose values are data, not schemas. A `title` in them does not name a schema. */
const DATA = new Set(['example', 'examples', 'default', 'const', 'enum'])

/** Collects the schemas that have a title. The rest of the document refers to them. */
export class Components {
  readonly #schemas = new Map<string, object>()

  /** The schemas by title, in alphabetical order. */
  get schemas(): Record<string, object> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** The same value, in which every schema with a title is replaced by a reference. */
  withReferences<T extends object>(schema: T): T {
    return this.#referring(schema) as T
  }

  /** If a body refers to a component and has no example, gives it the first example of the component. */
  addExample(media: { schema?: { $ref?: string }; example?: unknown; examples?: unknown }): void {
    const title = /^#\/components\/schemas\/(.+)$/.exec(media.schema?.$ref ?? '')?.[1]
    const { examples = [] } = (this.#schemas.get(title ?? '') ?? {}) as { examples?: unknown[] }
    if (media.example === undefined && media.examples === undefined && examples.length > 0) {
      media.example = examples[0]
    }
  }

  #referring(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#referring(item))
    if (typeof value !== 'object' || value === null) return value
    const { title } = value as { title?: unknown }
    if (typeof title !== 'string') return this.#entriesOf(value)
    this.#add(title, this.#entriesOf(value))
    return { $ref: `#/components/schemas/${title}` }
  }

  #entriesOf(schema: object): object {
    return Object.fromEntries(
      Object.entries(schema).map(([key, value]) => [key, DATA.has(key) ? value : this.#referring(value)]),
    )
  }

  #add(title: string, schema: object): void {
    const before = this.#schemas.get(title)
    if (before === undefined) this.#schemas.set(title, schema)
    else if (JSON.stringify(before) !== JSON.stringify(schema)) {
      throw new Error(`two different schemas have the title ${title}: give one of them another`)
    }
  }
}
