/** The tenant to whom an object belongs, by its name: `t/{tenant}/…`. */
export const tenantOf = (name: string): string => name.split('/')[1] ?? '';
