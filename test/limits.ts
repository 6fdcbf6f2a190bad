/**
 * Writes docs/limits.md: each duration, size and count that is built into the program, as the code has it.
 * `node test/limits.ts` writes the file; test/limits.test.ts notices a value that is not in it.
 */
import { glob, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)

/** Where the document is, from the root of the tree. */
export const LIMITS_DOCUMENT = 'docs/limits.md'

/** What is not in the published program, or holds no limits of its own. */
const LEFT_OUT = /\.test\.ts$|api-types\.ts$|^src\/(sim|testing|linearizability|engines\/contract)\//

/** The constants of a module: `const NAME = <numbers and other constants>`. */
const CONSTANT = /^(?:export )?const ([A-Z][A-Z0-9_]+)(?:: number)? = (0o\d+|[-0-9A-Z_.*/+ ()]+)$/gm
/** Constants that are no limits: codes, tags, versions, and numbers that only other constants use. */
const NO_LIMIT = /(^|_)(VERSION|TAG|PORT|UNDERSTOOD|ID)$|^(LOCK|DAY_MS|FULL|HIGH_END|HALF)$/
/** Files whose constants are codes of another program. */
const CODES = /sqlite-fault\.ts$|\/ledger\.ts$/
/** The numbers in an object with limits: `someMs: 500`. */
const PROPERTY =
  /(?<=^\s*|\{ |, )'?([a-z][\w.-]*(?:Ms|Max|Min|Bytes|PerSecond|PerStep|AtOnce|Timeout|AgeMs|Keys|At|_ms|Default|Seconds|pipelining|connections|PerBatch)(?:Max|Min)?)'?: (\d[\d_.]*(?: \* \d[\d_]*)*)(?=,|$| \})/gm

type Limit = Readonly<{ file: string; name: string; value: number; what: string }>

/** The document as it has to be. */
export async function limitsDocument(): Promise<string> {
  const limits = await findLimits()
  const rows = limits.map(
    ({ file, name, value, what }) => `| \`${file}\` | \`${name}\` | ${shown(name, value)} | ${what} |`,
  )
  return [
    '# Limits and intervals',
    '',
    'Each duration, size and count that is built into the program. No setting changes them; the settings are',
    'in [operations.md](operations.md). The last column is what the code says of the value.',
    '',
    '`node test/limits.ts` writes this file. A test fails when a value in the code is not the one shown here,',
    'so a value changes only together with this file.',
    '',
    '| file | name | value | what it is |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

/** Every limit of the program, in the order of the files and of the lines in them. */
async function findLimits(): Promise<Limit[]> {
  const files = (await Array.fromAsync(glob(['src/**/*.ts', 'client/src/**/*.ts'], { cwd: root }))).sort()
  const limits: Limit[] = []
  for (const file of files.filter((name) => !LEFT_OUT.test(name))) {
    const text = await readFile(new URL(file, root), 'utf8')
    limits.push(...limitsOf(file, text))
  }
  return limits
}

/** The limits of a file. */
function limitsOf(file: string, text: string): Limit[] {
  const known = new Map<string, number>()
  const found: (Limit & { at: number })[] = []
  for (const match of text.matchAll(CONSTANT)) {
    const [, name, expression] = match as unknown as [string, string, string]
    const value = evaluate(expression, known)
    if (value === undefined) continue
    known.set(name, value)
    if (NO_LIMIT.test(name) || CODES.test(file)) continue
    found.push({ file, name, value, what: commentBefore(text, match.index), at: match.index })
  }
  for (const match of text.matchAll(PROPERTY)) {
    const [, name, expression] = match as unknown as [string, string, string]
    const value = evaluate(expression, known)
    const declared = text.search(new RegExp(`^ +(readonly )?${name}\\??: number`, 'm'))
    if (!value || /^\s*(\*|\/\/)/.test(lineAt(text, match.index))) continue
    found.push({
      file,
      name,
      value,
      what: declared < 0 ? '' : commentBefore(text, declared),
      at: match.index,
    })
  }
  return found.sort((a, b) => a.at - b.at)
}

/** The value of an expression of numbers and known constants, or `undefined` when it holds something else. */
function evaluate(expression: string, known: ReadonlyMap<string, number>): number | undefined {
  const numbers = expression.replaceAll(/[A-Z][A-Z0-9_]*/g, (name) => String(known.get(name) ?? 'unknown'))
  if (!/^(0o\d+|[-0-9_.*/+ ()e]+)$/.test(numbers)) return undefined
  const value: unknown = new Function(`return ${numbers}`)()
  return typeof value === 'number' ? value : undefined
}

/** The line at an index. */
function lineAt(text: string, index: number): string {
  return text.slice(text.lastIndexOf('\n', index) + 1).split('\n', 1)[0]!
}

/** The first sentence of the comment that ends right before an index, or nothing. */
function commentBefore(text: string, index: number): string {
  const [, comment] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, index)) ?? []
  const words = (comment ?? '')
    .replaceAll(/^\s*\*/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return (/^.*?[.:](?= |$)/.exec(words)?.[0] ?? words).replaceAll('|', '\\|').replace(/:$/, '.')
}

/** A value with its unit, which the name tells. The exact number is always in it. */
function shown(name: string, value: number): string {
  if (/MODE|RIGHTS/.test(name)) return `0${value.toString(8)}`
  const number = value.toLocaleString('en-US', { maximumFractionDigits: 6 })
  if (/(_MS|Ms|_ms)(_|$|M)/.test(name) || /Timeout$/.test(name)) return `${number} ms`
  if (/BYTES|Bytes/.test(name)) return `${number} bytes`
  if (/KIB/.test(name)) return `${number} KiB`
  return number
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL(LIMITS_DOCUMENT, root), await limitsDocument())
}
