/** Prose is at most 110 columns wide, so that it can be read beside code, in a terminal and in a review. */
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { test } from 'node:test'

const COLUMNS_MAX = 110

const root = new URL('..', import.meta.url)

/**
 * The columns of a line, without the targets of links and bare addresses, which cannot be broken.
 */
function columnsOf(line: string): number {
  const text = line.replaceAll(/\]\([^)]*\)/g, ']').replaceAll(/<?https?:\/\/[^\s)>]+>?/g, '')
  return [...text].length
}

/** The lines of Markdown outside tables and code (blocks, and lines that are only code). */
function* proseOfMarkdown(text: string): Generator<[number, string]> {
  let isCode = false
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trimStart().startsWith('```')) isCode = !isCode
    else if (isCode || line.trimStart().startsWith('|') || /^`[^`]+`$/.test(line)) continue
    else yield [index + 1, line]
  }
}

/** The lines that are a comment, or end with one. `mark` is what a comment begins with. */
function* commentsOf(text: string, mark: RegExp): Generator<[number, string]> {
  for (const [index, line] of text.split('\n').entries()) {
    if (mark.test(line)) yield [index + 1, line]
  }
}

const SLASHES = /^\s*(\/\/|\/\*|\*)|\s\/\/ /
const HASHES = /^\s*#|\s##? /

const KINDS: readonly Readonly<{
  what: string
  files: readonly string[]
  proseOf: (text: string) => Iterable<[number, string]>
}>[] = [
  {
    what: 'documents',
    files: ['*.md', '{docs,spec,examples,bench}/**/*.md', 'client/*.md'],
    proseOf: proseOfMarkdown,
  },
  {
    what: 'comments of the code',
    files: [
      '{src,test,bench,examples}/**/*.{ts,mjs}',
      'client/src/!(api-types).ts',
      'proto/**/*.proto',
      'spec/*.pml',
    ],
    proseOf: (text) => commentsOf(text, SLASHES),
  },
  {
    what: 'comments of scripts and settings',
    files: [
      '{spec,examples,.ci}/**/*.sh',
      '.ci/run',
      'Makefile',
      'Dockerfile',
      '*.{yml,yaml}',
      '.env*.example',
      '.npmrc',
    ],
    proseOf: (text) => commentsOf(text, HASHES),
  },
]

for (const { what, files, proseOf } of KINDS) {
  test(`${what} are at most ${COLUMNS_MAX} columns wide`, async () => {
    const names = await Array.fromAsync(glob(files, { cwd: root }))
    assert.notEqual(names.length, 0, `no file matches ${files.join(', ')}: mend the pattern`)
    const tooWide: string[] = []
    for (const name of names.sort()) {
      for (const [number, line] of proseOf(await readFile(new URL(name, root), 'utf8'))) {
        const columns = columnsOf(line)
        if (columns > COLUMNS_MAX) tooWide.push(`${name}:${number}: ${columns} columns`)
      }
    }
    assert.deepEqual(tooWide, [], 'break these lines')
  })
}
