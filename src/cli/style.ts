const styled = (code: number) => (text: string, colour: boolean) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)

/** Faint, where the writer is a terminal. */
export const dim = styled(2)
export const bold = styled(1)
