// Light or dark: as the system has it, until somebody chooses. Loaded before the page is painted.
(() => {
  const root = document.documentElement
  const system = matchMedia('(prefers-color-scheme: dark)')
  const chosen = localStorage.getItem('theme')
  if (chosen) root.dataset.theme = chosen

  const dark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark'
  document.addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme')
    const label = () => (button.textContent = dark() ? 'Light mode' : 'Dark mode')
    button.addEventListener('click', () => {
      root.dataset.theme = dark() ? 'light' : 'dark'
      localStorage.setItem('theme', root.dataset.theme)
      label()
    })
    system.addEventListener('change', label)
    label()
  })
})()
