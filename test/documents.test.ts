/** Everything that the documents name exists: files, folders, and the sections that they link to. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const DOCUMENTS = (
  await Array.fromAsync(glob(['*.md', '{docs,spec,examples,bench}/**/*.md', 'client/*.md'], { cwd: root }))
).sort()

/** Folders whose paths the documents write from the root. */
const FROM_ROOT = /^(src|client|test|docs|bench|spec|proto|examples|bin)\//

async function read(document: string): Promise<string> {
  return readFile(join(root, document), 'utf8')
}

/** The text without its code blocks, which show commands and outputs of other machines. */
async function prose(document: string): Promise<string> {
  return (await read(document)).replaceAll(/^\s*```.*?^\s*```$/gms, '')
}

/** The anchors that a site makes of the headings of a document, as GitHub does. */
async function anchorsOf(document: string): Promise<string[]> {
  const headings = [...(await prose(document)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test('every file and folder that a document names exists', async () => {
  const files = await Array.fromAsync(
    glob('{src,client,test,bench,spec,proto,examples}/**/*.*', { cwd: root }),
  )
  const names = new Set(files.map((file) => file.slice(file.lastIndexOf('/') + 1)))
  const missing: string[] = []
  for (const document of DOCUMENTS) {
    for (const [, code] of (await prose(document)).matchAll(/`([^`\n]+)`/g)) {
      // A pattern or a placeholder names no file.
      if (/[*<>…{}$ ]/.test(code!)) continue
      const isThere = FROM_ROOT.test(code!)
        ? existsSync(join(root, code!))
        : !/^[a-z-]+(\.test)?\.(ts|mjs|lua|pml|proto)$/.test(code!) || names.has(code!)
      if (!isThere) missing.push(`${document}: ${code}`)
    }
  }
  assert.deepEqual(missing, [], 'name what is there')
})

test('every link of a document to the tree leads to a file, and to a section that is in it', async () => {
  const broken: string[] = []
  for (const document of DOCUMENTS) {
    for (const [, target] of (await prose(document)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      const [path = '', anchor] = target!.split('#')
      const file = path === '' ? document : normalize(join(dirname(document), path))
      const isThere =
        existsSync(join(root, file)) && (anchor === undefined || (await anchorsOf(file)).includes(anchor))
      if (!isThere) broken.push(`${document}: ${target}`)
    }
  }
  assert.deepEqual(broken, [], 'mend these links')
})

test('every test that docs/security.md names by its title is in the file that is named before it', async () => {
  const text = (await prose('docs/security.md')).replaceAll(/\s+/g, ' ')
  const missing: string[] = []
  let file = 'docs/security.md'
  let count = 0
  for (const [, path, title] of text.matchAll(
    /`((?:src|test)\/[^`]+\.test\.ts)`|(?<!\*)\*([^*|]+)\*(?!\*)/g,
  )) {
    if (path !== undefined) file = path
    else {
      count += 1
      const titles = (await read(file)).matchAll(/\btest\(\s*(['`])((?:\\.|(?!\1).)*)\1/gs)
      const isThere = [...titles].some(([, , name]) => name!.includes(title!))
      if (!isThere) missing.push(`${file}: ${title}`)
    }
  }
  assert.ok(count >= 50, `${count} titles`)
  assert.deepEqual(missing, [], 'name the tests that are there')
})
