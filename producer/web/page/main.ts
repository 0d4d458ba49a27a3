import './style.css';

const app = document.querySelector<HTMLElement>('#app')!;
app.innerHTML = '<h1>millrace</h1><p>The queue answers at <a href="/v1/jobs">/v1/jobs</a>.</p>';
