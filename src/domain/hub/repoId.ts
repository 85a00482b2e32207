/** A name of the Hub: letters, digits, `-`, `_` and `.`, which stand neither first, last nor doubled. */
const part = /^[A-Za-z0-9_](?:[A-Za-z0-9_]|[-.](?![-.]))*$/
const longest = 96

/**
 * Whether a text can be a model of the Hub: `owner/name`, or the bare name of an old one such as `gpt2`. A folder that
 * exists is asked for first: nobody means the Hub by `models/brook`.
 */
export const isRepoId = (text: string): boolean => {
  const parts = text.split("/")
  return (
    text.length <= longest &&
    parts.length <= 2 &&
    parts.every((name) => part.test(name) && !/[-.]$/.test(name)) &&
    !text.endsWith(".git")
  )
}

/** A commit, which never moves; any other revision is the name of a branch, a tag or a pull request. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision)

export const defaultRevision = "main"

/** What can stand in a path of the cache: no climbing out of it, nothing that a file system reads otherwise. */
export const isRevision = (revision: string): boolean =>
  /^[\w./+@-]+$/.test(revision) && !/(^|\/)\.{0,2}(\/|$)/.test(revision) && revision.length <= 255
