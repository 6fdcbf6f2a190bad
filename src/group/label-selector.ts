import type { Labels } from './group.ts'

/** Whether a group with these labels is selected. */
export type LabelSelector = (labels: Labels) => boolean

/** The largest number of requirements of a selector. Each of them is checked for every group of a walk. */
export const REQUIREMENTS_MAX = 64

/**
 * Reads a selector in the grammar of Kubernetes: requirements with commas between them, which must all hold.
 *
 * | requirement                 | holds when                                              |
 * | --------------------------- | ------------------------------------------------------- |
 * | `key`                       | the group has the label                                 |
 * | `!key`                      | the group does not have the label                       |
 * | `key=value`, `key==value`   | the label has this value                                |
 * | `key!=value`                | the label has another value, or the group has no such label |
 * | `key in (value, value)`     | the label has one of these values                       |
 * | `key notin (value, value)`  | the label has none of these values, or the group has no such label |
 *
 * Labels may have characters that have a meaning here, or spaces. Such a key or value is written as a JSON
 * string: `"cost center"="a,b"`. An empty text selects every group.
 *
 * @returns a text if it is no selector: what is wrong, as the end of a sentence that begins with its name
 */
export function parseLabelSelector(text: string): LabelSelector | string {
  const reader = new Reader(text)
  const requirements: LabelSelector[] = []
  if (reader.isAtEnd) return () => true
  try {
    do {
      if (requirements.length === REQUIREMENTS_MAX)
        return `must have at most ${REQUIREMENTS_MAX} requirements`
      requirements.push(requirementIn(reader))
    } while (reader.takes(','))
    if (!reader.isAtEnd) reader.expected('a comma')
  } catch (error) {
    if (error instanceof NoSelectorError) return error.message
    throw error
  }
  return (labels) => requirements.every((holds) => holds(labels))
}

class NoSelectorError extends Error {}

/** The value of a label. `undefined`: there is no such label. */
type Holds = (value: string | undefined) => boolean

function requirementIn(reader: Reader): LabelSelector {
  const isNegated = reader.takes('!')
  const key = reader.word('the key of a label')
  const holds = isNegated ? (value: string | undefined) => value === undefined : conditionIn(reader)
  // A label may be named like something that every object has, as `constructor`.
  return (labels) => holds(Object.hasOwn(labels, key) ? labels[key] : undefined)
}

function conditionIn(reader: Reader): Holds {
  if (reader.takes('==') || reader.takes('=')) {
    const wanted = reader.value()
    return (value) => value === wanted
  }
  if (reader.takes('!=')) {
    const unwanted = reader.value()
    return (value) => value !== unwanted
  }
  if (reader.takesWord('in')) {
    const wanted = valuesIn(reader)
    return (value) => value !== undefined && wanted.has(value)
  }
  if (reader.takesWord('notin')) {
    const unwanted = valuesIn(reader)
    return (value) => value === undefined || !unwanted.has(value)
  }
  return (value) => value !== undefined
}

function valuesIn(reader: Reader): ReadonlySet<string> {
  const values = new Set<string>()
  if (!reader.takes('(')) reader.expected('( with the values after it')
  do values.add(reader.value())
  while (reader.takes(','))
  if (!reader.takes(')')) reader.expected('a comma or )')
  return values
}

/** A position in the text of a selector. Spaces between its parts have no meaning. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#skipSpaces()
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** Whether the text goes on with this sign, which is then taken. */
  takes(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#moveTo(this.#at + sign.length)
    return true
  }

  /** The same for a word without quotes. */
  takesWord(word: string): boolean {
    return this.#match(BARE) === word && this.takes(word)
  }

  /** A key, or a value that is not empty. `name` says what it is. */
  word(name: string): string {
    return this.#word() ?? this.expected(name)
  }

  /** A value. Nothing stands for the empty value. */
  value(): string {
    return this.#word() ?? ''
  }

  expected(what: string): never {
    const found = this.isAtEnd
      ? 'the end'
      : JSON.stringify(String.fromCodePoint(this.#text.codePointAt(this.#at)!))
    const position = [...this.#text.slice(0, this.#at)].length + 1
    throw new NoSelectorError(
      `must be a label selector, as team=core,env in (prod,stage),!legacy: at character ${position} it has ${found} instead of ${what}`,
    )
  }

  #word(): string | undefined {
    const bare = this.#match(BARE)
    if (bare !== undefined) {
      this.#moveTo(this.#at + bare.length)
      return bare
    }
    const quoted = this.#match(QUOTED)
    if (quoted === undefined) return undefined
    let word: string
    try {
      word = JSON.parse(quoted) as string
    } catch {
      return this.expected('a JSON string')
    }
    this.#moveTo(this.#at + quoted.length)
    return word
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0]
  }

  #moveTo(at: number): void {
    this.#at = at
    this.#skipSpaces()
  }

  #skipSpaces(): void {
    this.#at += this.#match(SPACES)!.length
  }
}

const SPACES = /\s*/y
/** A key or a value without quotes: it has no spaces, and none of the signs of the grammar. */
const BARE = /[^\s,=!()<>"]+/y
const QUOTED = /"(?:[^"\\]|\\.)*"/y
